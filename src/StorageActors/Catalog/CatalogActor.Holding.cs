using Akka.Actor;
using StorageActors.Protocol;
using static StorageActors.Catalog.CatalogInternal;

namespace StorageActors.Catalog;

/// <summary>What flows hold, who waits for it, and what becomes of it when a flow ends.</summary>
internal sealed partial class CatalogActor
{
    private bool MustWait(IActorRef from, object command, params IReadOnlyList<LayerId> layers)
    {
        if (!layers.Any(layer => _reservations.IsTakenByOther(layer, HolderOf(from)))) return false;
        Wait(from, command);
        return true;
    }

    private void Wait(IActorRef from, object command)
    {
        _waiting.Add((from, command));
        Watch(from);
    }

    private void Hold(IActorRef from, Reservations reservations)
    {
        _reservations = reservations;
        Watch(from);
    }

    private void Hold(IActorRef from, Decision<LayerRules.Held> decision, Func<LayerRules.Held, object> answer)
    {
        if (decision.IsRefused(out var refusal, out var held))
        {
            Refuse(from, refusal);
            return;
        }

        Hold(from, held.Reservations);
        from.Tell(answer(held));
    }

    private void Watch(IActorRef flow)
    {
        if (_watched.Add(flow)) Context.WatchWith(flow, new HolderGone(flow));
    }

    private void Free(IActorRef flow)
    {
        if (_watched.Remove(flow)) Context.Unwatch(flow);
        _reservations = _reservations.Free(HolderOf(flow));
        _waiting.RemoveAll(waiting => waiting.From.Equals(flow));
        foreach (var waiters in _awaited.Values) waiters.Remove(flow);
        SettleAwaited();
        Retry();
    }

    /// <summary>Lets those try again, in order, who waited for what was given back; who must go on waiting gets in line again.</summary>
    private void Retry()
    {
        var waiting = _waiting.ToList();
        _waiting.Clear();
        foreach (var (from, command) in waiting) Dispatch(from, command);
    }

    /// <summary>Answers those who await a layer that is there now, journaled, or that nobody makes any more.</summary>
    private void SettleAwaited()
    {
        foreach (var (layer, waiters) in _awaited.ToList())
        {
            var record = _view.Current.FindOwn(layer);
            var isComing = _reservations.MakerOf(layer) is not null || _decided.FindOwn(layer) is not null;
            if (record is null && isComing) continue;
            _awaited.Remove(layer);
            foreach (var waiter in waiters)
            {
                if (record is not null) Hold(waiter, _reservations.Pin(HolderOf(waiter), layer));
                waiter.Tell(new LayerSettled(layer, record));
            }
        }
    }

    private sealed record HolderGone(IActorRef Holder);
}
