using Akka.Actor;
using Akka.Event;
using Akka.Persistence;
using StorageActors.Dispatching;
using StorageActors.DriverOperations;
using StorageActors.Journal;
using StorageActors.Protocol;

namespace StorageActors.Layers;

/// <content>Out of service: while the layer is sealed, and on its way out of the store.</content>
internal sealed partial class LayerActor
{
    private IActorRef? _holdBy;
    private int _deletionsLeft;

    /// <summary>Nobody writes; everything waits.</summary>
    private static readonly Behavior<LayerActor> Holding = new(static state =>
    {
        state.On<LayerInternal.Unhold>(static (layer, command) =>
        {
            layer.Change(command);
            layer.EndHold(command.Kind);
        });
        state.On<Terminated>(
            static (layer, died) =>
            {
                layer.EndHold(layer._state.Kind);
                layer.HolderIsDead(died.ActorRef);
            },
            static (layer, died) => died.ActorRef.Equals(layer._holdBy));
        Always(state);
        Otherwise(state);
    });

    /// <summary>Nothing is mounted; everything waits for whether the layer stays.</summary>
    private static readonly Behavior<LayerActor> Draining = new(static state =>
    {
        state.On<LayerInternal.Undrain>(static (layer, _) => layer.Undrain());
        state.On<LayerInternal.Forget>(static (layer, _) => layer.Forget());
        Always(state);
        Otherwise(state);
    });

    /// <summary>The layer is no more; its journal goes, too.</summary>
    private static readonly Behavior<LayerActor> Gone = new(static state =>
    {
        state.On<LayerProtocol.ICommand>(RefuseAsGone);
        state.On<LayerInternal.Drain>(RefuseAsGone);
        state.On<LayerInternal.Hold>(RefuseAsGone);
        state.On<LayerInternal.Wake>(static (layer, _) => layer.Sender.Tell(new LayerInternal.Awake(layer.Id, null)));
        state.On<LayerInternal.Flush>(static (layer, flush) => layer.Sender.Tell(new LayerInternal.Flushed(flush.Number)));
        state.On<DeleteMessagesSuccess>(static (layer, _) => layer.Deleted(null));
        state.On<DeleteMessagesFailure>(static (layer, failure) => layer.Deleted(failure.Cause));
        state.On<DeleteSnapshotsSuccess>(static (layer, _) => layer.Deleted(null));
        state.On<DeleteSnapshotsFailure>(static (layer, failure) => layer.Deleted(failure.Cause));
        state.On<LastWord>(static (layer, _) => Context.Stop(layer.Self));
        state.On<object>(Nothing);
    });

    private static void RefuseAsGone<TMessage>(LayerActor layer, TMessage message) => layer.Sender.Tell(new StoreProtocol.Refused(layer.NotFound()));

    private void Hold(LayerInternal.Hold command)
    {
        var requester = Sender;
        if (_state.Mount!.Mode == MountMode.ReadOnly) Held(command, requester);
        else if (!_state.Leases.IsEmpty) requester.Tell(new StoreProtocol.Refused(InUse("seal")));
        else Unmount(force: false, () => Held(command, requester), error => StayMounted(requester, error));
    }

    private void Held(LayerInternal.Hold command, IActorRef requester)
    {
        _holdBy = command.By;
        if (!_holders.ContainsKey(command.By)) Context.Watch(command.By);
        requester.Tell(new LayerInternal.Held(Id));
        Rest(Holding);
    }

    /// <summary>As it is from now on.</summary>
    private void Change(LayerInternal.Unhold command)
    {
        _state = _state with { Kind = command.Kind };
        _setup = _setup with { Kind = command.Kind, Parents = command.Parents ?? _setup.Parents };
    }

    private void EndHold(LayerKind kind)
    {
        if (_holdBy is { } holder && !_holders.ContainsKey(holder)) Context.Unwatch(holder);
        _holdBy = null;
        _state = _state with { Kind = kind };
        Enter(_state.Mount is null ? Unmounted : Mounted);
    }

    private void Drain(LayerInternal.Drain command)
    {
        var requester = Sender;
        if (!command.Force && !_state.Leases.IsEmpty)
        {
            requester.Tell(new StoreProtocol.Refused(InUse("remove")));
            return;
        }

        if (_state.Leases.IsEmpty)
        {
            Unmount(command.Force, () => Drained(requester), error => StayMounted(requester, error));
            return;
        }

        // For this actor the leases end with the mount, not before: if it stays, so do they.
        var names = _state.Names();
        UnmountEnding(
            new LeaseEvent.Cleared(),
            command.Force,
            () =>
            {
                _log.Info("layer {0}: it is removed by force; the leases {1} ended", Id, names);
                Drained(requester);
            },
            error => StayMounted(requester, error));
    }

    private void Drained(IActorRef requester)
    {
        requester.Tell(new LayerInternal.Drained(Id));
        Rest(Draining);
    }

    private void Undrain() => Enter(Unmounted);

    private void Forget()
    {
        Rest(Gone);
        foreach (var answer in _queries.Values.ToList()) answer(new DriverProtocol.Failed(0, NotFound()));
        _queries.Clear();
        Stash.UnstashAll();
        if (LastSequenceNr == 0)
        {
            Self.Tell(LastWord.Instance); // Behind what was stashed.
            return;
        }

        _deletionsLeft = 2;
        DeleteMessages(LastSequenceNr);
        DeleteSnapshots(SnapshotSelectionCriteria.Latest);
    }

    private void Deleted(Exception? failure)
    {
        // Left-over rows harm nobody: another layer of this id has a journal of its own.
        if (failure is not null) _log.Warning("layer {0}: rows of its journal stay: {1}", Id, failure.Message);
        if (--_deletionsLeft == 0) Self.Tell(LastWord.Instance);
    }

    private StorageError InUse(string operation) => new(
        StorageErrorCode.InUse, operation, $"layer {Id} is mounted {(_state.Mount!.Mode == MountMode.ReadOnly ? "read-only" : "read-write")} for {_state.Names()}; release that first", _state.Mount.Path,
        Reason: StorageErrorReason.LayerLeased, Layer: Id);

    private StorageError NotFound() => new(StorageErrorCode.NotFound, "layer", $"layer {Id} was removed", Reason: StorageErrorReason.UnknownLayer, Layer: Id);

    private sealed record LastWord
    {
        internal static readonly LastWord Instance = new();
    }
}
