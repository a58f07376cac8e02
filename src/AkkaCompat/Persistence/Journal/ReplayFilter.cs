using Akka.Actor;
using Akka.Configuration;
using Akka.Event;

namespace Akka.Persistence.Journal;

internal enum ReplayFilterMode { Off, RepairByDiscardOld, Fail, Warn }

/// <summary>How events of two writers that overlap are treated.</summary>
internal sealed record ReplayFilterSettings(ReplayFilterMode Mode, int WindowSize, int MaxOldWriters)
{
    public static ReplayFilterSettings From(Config config)
    {
        var mode = config.GetString("replay-filter.mode", "repair-by-discard-old");
        return new(
            mode switch
            {
                "off" => ReplayFilterMode.Off,
                "repair-by-discard-old" => ReplayFilterMode.RepairByDiscardOld,
                "fail" => ReplayFilterMode.Fail,
                "warn" => ReplayFilterMode.Warn,
                _ => throw new ConfigurationException(
                    $"Invalid replay-filter.mode [{mode}], supported values [off, repair-by-discard-old, fail, warn]"),
            },
            config.GetInt("replay-filter.window-size", 100),
            config.GetInt("replay-filter.max-old-writers", 10));
    }
}

/// <summary>Passes replayed events on, less those an older writer stored after a newer one had begun.</summary>
/// <remarks>Such rows come from two actors with one id that ran at the same time. Events are held back by the window's size to see it.</remarks>
internal sealed class ReplayFilter(ReplayFilterSettings settings, ActorSystem system, Action<IPersistentRepresentation> next)
{
    private readonly LinkedList<IPersistentRepresentation> _window = [];
    private readonly Queue<string> _oldWriters = new();
    private string _writer = "";
    private long _sequenceNr = -1L;

    public void Add(IPersistentRepresentation e)
    {
        if (settings.Mode == ReplayFilterMode.Off)
        {
            next(e);
            return;
        }
        if (e.WriterGuid == _writer || _sequenceNr < 0)
        {
            if (e.WriterGuid == _writer && e.SequenceNr < _sequenceNr)
            {
                Report($"Invalid replayed event [{e.SequenceNr}] in wrong order from writer [{e.WriterGuid}] with id [{e.PersistenceId}]");
                if (settings.Mode == ReplayFilterMode.RepairByDiscardOld) return;
            }
        }
        else if (_oldWriters.Contains(e.WriterGuid))
        {
            Report($"Invalid replayed event [{e.SequenceNr}] from old writer [{e.WriterGuid}] with id [{e.PersistenceId}]");
            if (settings.Mode == ReplayFilterMode.RepairByDiscardOld) return;
        }
        else
        {
            _oldWriters.Enqueue(_writer);
            if (_oldWriters.Count > settings.MaxOldWriters) _oldWriters.Dequeue();
            DiscardOverlapOf(e);
        }
        (_writer, _sequenceNr) = (e.WriterGuid, e.SequenceNr);
        _window.AddLast(e);
        if (_window.Count > settings.WindowSize) PassFirst();
    }

    /// <summary>Passes on what is still held back.</summary>
    public void Flush()
    {
        while (_window.Count > 0) PassFirst();
    }

    private void DiscardOverlapOf(IPersistentRepresentation first)
    {
        while (_window.Last is { Value: var e } && e.SequenceNr >= first.SequenceNr)
        {
            Report($"Invalid replayed event [{e.SequenceNr}] from writer [{e.WriterGuid}], overlapped by writer [{first.WriterGuid}] with id [{e.PersistenceId}]");
            if (settings.Mode != ReplayFilterMode.RepairByDiscardOld) return;
            _window.RemoveLast();
        }
    }

    private void PassFirst()
    {
        var e = _window.First!.Value;
        _window.RemoveFirst();
        next(e);
    }

    private void Report(string problem)
    {
        if (settings.Mode == ReplayFilterMode.Fail) throw new InvalidOperationException(problem);
        Logging.GetLogger(system, typeof(ReplayFilter)).Warning(problem);
    }
}
