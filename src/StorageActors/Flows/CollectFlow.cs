using Akka.Actor;
using StorageActors.Catalog;
using StorageActors.Protocol;
using StorageActors.Trash;

namespace StorageActors.Flows;

/// <summary><see cref="StoreProtocol.CollectGarbage"/>: what came into use meanwhile is refused by its owner, and stays.</summary>
internal sealed class CollectFlow(FlowContext store, IActorRef requester, StoreProtocol.CollectGarbage command) : RemovingFlow(store, requester, "collect garbage")
{
    private readonly List<LayerId> _gone = [];
    private Queue<LayerId> _garbage = new();
    private Dictionary<LayerId, long> _bytes = [];

    protected override void Start()
    {
        var garbage = Removable.Garbage(Store.View.Current, Store.Mounts.IsHeld);
        var current = Store.View.Current;
        var measured = garbage.Select(id => new MeasuredLayer(Store.Layout.Locate(id), IsSealed: true)).ToList();
        Perform(new MeasureLayers(measured), usages =>
        {
            _bytes = garbage.Zip(usages).ToDictionary(static pair => pair.First, static pair => pair.Second.Bytes);
            _garbage = new Queue<LayerId>(garbage.Where(id => current.FindLayer(id) is not null));
            if (command.DryRun) Finish(new StoreProtocol.Collected(garbage, _bytes.Values.Sum()));
            else Next();
        });
    }

    private void Next()
    {
        if (_garbage.TryDequeue(out var layer)) RemoveOne(layer);
        else Ask<TrashProtocol.Emptied>(Store.Trash, new TrashProtocol.Empty(), _ => Finish(new StoreProtocol.Collected(_gone, _gone.Sum(id => _bytes[id]))));
    }

    private void RemoveOne(LayerId layer) => Remove([layer], force: false, (removed, refusal) =>
    {
        if (refusal is null) _gone.Add(layer);
        Next();
    });
}
