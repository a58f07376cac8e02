using Akka.Actor;
using StorageActors.Archive.Apply;
using StorageActors.Protocol;

namespace StorageActors.DriverOperations;

/// <summary>Turns the calls of an extraction's threads into messages, and lets ten a second through.</summary>
internal sealed class ExtractionReporter(TicketId ticket, IActorRef target, TimeProvider time) : IExtractionObserver
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);
    private long _last = time.GetTimestamp();

    public void Advanced(long bytesRead, long entries)
    {
        var last = Volatile.Read(ref _last);
        var now = time.GetTimestamp();
        if (time.GetElapsedTime(last, now) < Pause || Interlocked.CompareExchange(ref _last, now, last) != last) return;
        target.Tell(new ExtractionAdvanced(ticket, bytesRead, entries), ActorRefs.NoSender);
    }
}
