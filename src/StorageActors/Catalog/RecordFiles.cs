using Akka.Actor;
using Akka.Event;
using StorageActors.DriverOperations;
using StorageActors.Protocol;

namespace StorageActors.Catalog;

/// <summary>
/// Replaces <c>layer.json</c> and <c>image.json</c> after the journal has a change: one write at a time for each, always of the newest record, so
/// that changes in quick succession cost one write more, not one each. Part of the catalog's actor, and called by it alone.
/// </summary>
internal sealed class RecordFiles(IActorRef operations, IActorRef catalog, CatalogView view, Func<object, bool> isTaken, ILoggingAdapter log)
{
    private readonly Dictionary<long, Writing> _byAttempt = [];
    private readonly Dictionary<object, Writing> _bySubject = [];
    private Action? _whenIdle;

    /// <summary>Has the files of these layers and images written as the view has them now, then calls back.</summary>
    /// <param name="subjects">Each a <see cref="LayerId"/> or an <see cref="ImageId"/>.</param>
    /// <param name="done">Called also when a write failed: the journal has the change, and a check finds the difference.</param>
    internal void Write(IReadOnlyCollection<object> subjects, Action done)
    {
        var left = subjects.Count;
        if (left == 0) done();
        foreach (var subject in subjects)
        {
            if (!_bySubject.TryGetValue(subject, out var writing)) _bySubject.Add(subject, writing = new Writing(subject));
            writing.Next.Add(() =>
            {
                if (--left == 0) done();
            });
            if (writing.Now.Count == 0) Start(writing);
        }
    }

    /// <summary>Calls back when nothing that was asked for before waits to be written.</summary>
    internal void WhenWritten(object subject, Action done)
    {
        if (!_bySubject.TryGetValue(subject, out var writing)) done();
        else (writing.Next.Count > 0 ? writing.Next : writing.Now).Add(done);
    }

    /// <summary>Calls back when nothing waits to be written at all.</summary>
    internal void WhenIdle(Action done)
    {
        if (_bySubject.Count == 0) done();
        else _whenIdle += done;
    }

    /// <summary>Whether the answer was one to these writes.</summary>
    internal bool Handle(DriverProtocol.IReply reply)
    {
        if (!_byAttempt.Remove(reply.Attempt, out var writing)) return false;
        if (reply is DriverProtocol.Failed failed && Exists(writing.Subject) && !IsLeaving(writing.Subject, failed.Error))
            log.Warning("the record of {0} was journaled, but its file was not replaced: {1}; check --repair writes it", writing.Subject, failed.Error);
        var written = writing.Now.ToList();
        writing.Now.Clear();
        if (writing.Next.Count > 0) Start(writing);
        else _bySubject.Remove(writing.Subject);
        foreach (var done in written) done();
        if (_bySubject.Count > 0) return true;
        (var idle, _whenIdle) = (_whenIdle, null);
        idle?.Invoke();
        return true;
    }

    private void Start(Writing writing)
    {
        (writing.Now, writing.Next) = (writing.Next, writing.Now);
        var attempt = DriverProtocol.NextAttempt();
        _byAttempt.Add(attempt, writing);
        DriverOperation? operation = writing.Subject switch
        {
            LayerId id when view.Current.FindOwn(id) is { } layer => new WriteLayerRecord(layer with { Damage = null }),
            ImageId id when view.Current.FindOwn(id) is { } image => new WriteImageRecord(image),
            _ => null,
        };
        if (operation is null) Handle(new DriverProtocol.Completed<Nothing>(attempt, Nothing.Instance)); // It is gone: nothing to write.
        else operations.Tell(new DriverProtocol.Perform(attempt, operation), catalog);
    }

    private bool Exists(object subject) => subject is LayerId layer ? view.Current.FindOwn(layer) is not null : view.Current.FindOwn((ImageId)subject) is not null;

    /// <summary>Its directory is in the trash already, and the journal is about to have it: somebody took a name from what was being removed.</summary>
    private bool IsLeaving(object subject, StorageError error) => error.Errno == nameof(Linux.Errno.ENOENT) && isTaken(subject);

    /// <summary>Who waits for the write that is running, and who for the next.</summary>
    private sealed class Writing(object subject)
    {
        internal object Subject { get; } = subject;

        internal List<Action> Now { get; set; } = [];

        internal List<Action> Next { get; set; } = [];
    }
}
