using System.Collections.Immutable;
using Akka.Actor;
using Akka.Event;
using Akka.TestKit.Internal;

namespace Akka.TestKit;

/// <summary>Adds filters to the running listeners; sent through the event stream.</summary>
public sealed class Mute(params EventFilterBase[] filters) : INoSerializationVerificationNeeded
{
    public IReadOnlyCollection<EventFilterBase> Filters { get; } = filters;
}

/// <summary>Takes filters away again.</summary>
public sealed class Unmute(params EventFilterBase[] filters) : INoSerializationVerificationNeeded
{
    public IReadOnlyCollection<EventFilterBase> Filters { get; } = filters;
}

/// <summary>Finds out whether the listener is there yet. Errors are what it is subscribed to last.</summary>
internal sealed class ListenerProbe() : Error(null, nameof(ListenerProbe), typeof(ListenerProbe), nameof(ListenerProbe))
{
    public TaskCompletionSource Received { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}

/// <summary>The logger of tests: what a filter takes is not printed.</summary>
public class TestEventListener : DefaultLogger
{
    private ImmutableList<EventFilterBase> _filters = [];

    protected override bool Receive(object message)
    {
        switch (message)
        {
            case InitializeLogger initialize:
                foreach (var type in (Type[])[typeof(Mute), typeof(Unmute), typeof(DeadLetter), typeof(UnhandledMessage)])
                    initialize.LoggingBus.Subscribe(Context.Self, type);
                return base.Receive(message);   // which answers
            case Mute mute:
                _filters = _filters.AddRange(mute.Filters);
                return true;
            case Unmute unmute:
                _filters = _filters.RemoveRange(unmute.Filters);
                return true;
            case ListenerProbe probe:
                probe.Received.TrySetResult();
                return true;
            case LogEvent e:
                if (!IsFiltered(e)) Print(e);
                return true;
            case DeadLetter letter:
                // The system's own listener prints it.
                _ = letter.Message is LogEvent or IDeadLetterSuppression ||
                    IsFiltered(new Warning(letter.Recipient.Path.ToString(), letter.Recipient.GetType(), letter));
                return true;
            case UnhandledMessage unhandled:
                var warning = new Warning(
                    unhandled.Recipient.Path.ToString(), unhandled.Recipient.GetType(),
                    $"Unhandled message from {unhandled.Sender}: {unhandled.Message}");
                if (!IsFiltered(warning)) Print(warning);
                return true;
            default:
                return base.Receive(message);
        }
    }

    private bool IsFiltered(LogEvent e) => _filters.Exists(filter => filter.Apply(e));
}
