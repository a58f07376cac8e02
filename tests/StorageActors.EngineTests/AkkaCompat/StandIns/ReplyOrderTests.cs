using System.Collections.Immutable;
using Akka.Actor;
using Akka.Persistence;
using Akka.TestKit.Xunit2;
using StorageActors.EngineTests.Support;
using Xunit;

namespace StorageActors.EngineTests.AkkaCompat.StandIns;

/// <summary>What a journal tells an actor of its writes, and when.</summary>
public sealed class ReplyOrderTests() : TestKit(Patient.Hocon + "akka { loglevel = ERROR, stdout-loglevel = OFF }")
{
    /// <summary>The leave to write again is answered with the next write, whose replies another thread may give: none of this write's may be owed by then.</summary>
    [Fact]
    public void The_leave_to_write_again_comes_after_all_replies_to_a_write()
    {
        var journal = Persistence.Instance.Apply(Sys).JournalFor("akka.persistence.journal.inmem");
        var events = Enumerable.Range(1, 3).Select(static number => (IPersistentRepresentation)new Persistent($"event {number}", number, "p")).ToImmutableList();
        journal.Tell(new WriteMessages([new AtomicWrite(events)], TestActor, 7), TestActor);

        for (var number = 1; number <= 3; number++) Assert.Equal($"event {number}", ExpectMsg<WriteMessageSuccess>().Persistent.Payload);
        ExpectMsg<WriteMessagesSuccessful>();
    }
}
