using Akka.Actor;
using StorageActors.Catalog;
using StorageActors.Protocol;
using StorageActors.Trash;

namespace StorageActors.Flows;

/// <summary><see cref="StoreProtocol.CollectGarbage"/>: what came into use meanwhile is refused by its owner, and stays.</summary>
internal sealed class CollectFlow : RemovingFlow
{
    private readonly StoreProtocol.CollectGarbage _command;
    private readonly DeletingProgress _progress;
    private readonly List<LayerId> _gone = [];
    private Queue<LayerId> _garbage = new();
    private Dictionary<LayerId, long> _bytes = [];
    private bool _isMeasuring = true;
    private bool _isWaiting;
    private StorageError? _stopped;

    public CollectFlow(FlowContext store, IActorRef requester, StoreProtocol.CollectGarbage command)
        : base(store, requester, "collect garbage")
    {
        (_command, _progress) = (command, new DeletingProgress(new FlowProgress(store, command.Ticket, StagingPhase.Deleting)));
        Receive<TrashProtocol.Backlog>(_progress.Deleted);
    }

    protected override void Start()
    {
        if (_command.OlderThan < TimeSpan.Zero)
        {
            Refuse(Refusals.Invalid(Operation, "an age is not negative"));
            return;
        }

        var garbage = Removable.Garbage(Store.View.Current, Store.Mounts.IsHeld, Removable.Latest(Store.Time.GetUtcNow(), _command.OlderThan));
        var current = Store.View.Current;
        var measured = garbage.Select(id => new MeasuredLayer(Store.Layout.Locate(id), IsSealed: true)).ToList();
        Perform(new MeasureLayers(measured), usages =>
        {
            _isMeasuring = false;
            if (_stopped is not null)
            {
                Refuse(_stopped);
                return;
            }

            _bytes = garbage.Zip(usages).ToDictionary(static pair => pair.First, static pair => pair.Second.Bytes);
            _garbage = new Queue<LayerId>(garbage.Where(id => current.FindLayer(id) is not null));
            if (_command.DryRun) Finish(new StoreProtocol.Collected(garbage, _bytes.Values.Sum()));
            else Next();
        });
    }

    /// <summary>What is removed stays removed, and its bytes go without anybody who waits.</summary>
    protected override void OnStop(StorageError why)
    {
        _stopped = why;
        _garbage.Clear();
        if (_isMeasuring) CancelOperations();
        if (!_isWaiting) return;
        Abandon();
        Done();
    }

    protected override void Refuse(StorageError error)
    {
        _progress.End(StagingPhase.Failed);
        base.Refuse(error);
    }

    private void Next()
    {
        if (_garbage.TryDequeue(out var layer)) RemoveOne(layer);
        else if (_command.Wait && _stopped is null) Wait();
        else Done();
    }

    private void RemoveOne(LayerId layer) => Remove([layer], force: false, (removed, refusal) =>
    {
        if (refusal is null) _gone.Add(layer);
        Next();
    });

    private void Wait()
    {
        _isWaiting = true;
        Ask<TrashProtocol.Emptied>(Store.Trash, new TrashProtocol.Empty(Tell: true), _ => Done());
    }

    private void Done()
    {
        _isWaiting = false;
        _progress.End(StagingPhase.Done);
        Finish(new StoreProtocol.Collected(_gone, _gone.Sum(id => _bytes[id])));
    }
}
