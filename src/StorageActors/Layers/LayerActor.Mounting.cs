using Akka.Actor;
using Akka.Event;
using StorageActors.Dispatching;
using StorageActors.Drivers;
using StorageActors.DriverOperations;
using StorageActors.Journal;
using StorageActors.Protocol;

namespace StorageActors.Layers;

/// <content>Leases, and what they do to the mount.</content>
internal sealed partial class LayerActor
{
    private readonly List<(LayerProtocol.Acquire Command, IActorRef Requester)> _waiting = [];
    private IReadOnlyList<string>? _options;
    private bool _isQueueing;
    private (Action Done, Action<StorageError> Failed) _then;

    private static readonly Behavior<LayerActor> Unmounted = new(static state =>
    {
        state.On<LayerProtocol.Acquire>(static (layer, command) => layer.AcquireFirst(command, layer.Sender));
        state.On<LayerProtocol.Release>(static (layer, command) => layer.Sender.Tell(new StoreProtocol.Refused(((ReleaseDecision.Refuse)layer._state.Decide(command)).Error)));
        state.On<LayerProtocol.ReleaseAll>(static (layer, _) => layer.Sender.Tell(new LayerProtocol.Released(layer.Id, 0)));
        state.On<LayerInternal.UnmountUnheld>(static (layer, _) => layer.Sender.Tell(new LayerProtocol.Released(layer.Id, 0)));
        state.On<LayerInternal.Drain>(static (layer, _) => layer.Drained(layer.Sender));
        state.On<LayerInternal.Hold>(static (layer, command) => layer.Held(command, layer.Sender));
        state.On<ReceiveTimeout>(static (layer, _) => Context.Parent.Tell(new LayerInternal.Passivate(layer.Id)), static (layer, _) => layer._queries.Count == 0);
        state.On<LayerInternal.Forget>(static (layer, _) => layer.Forget());
        // A question may be on its way still, or an event.
        state.On<LayerInternal.StopIdle>(static (layer, _) => Context.Stop(layer.Self), static (layer, _) => layer._queries.Count == 0 && layer._writes == 0);
        Leftovers(state);
        Always(state);
        Otherwise(state);
    });

    private static readonly Behavior<LayerActor> Mounting = new(static state =>
    {
        state.On<DriverProtocol.Completed<ActiveMount>>(static (layer, mounted) => layer.MountIsThere(mounted.Result), IsCurrent);
        state.On<DriverProtocol.Failed>(static (layer, failed) => layer.MountFailed(failed.Error), IsCurrent);
        // The first to come join; once something else waits for its turn, they wait behind it.
        state.On<LayerProtocol.Acquire>(static (layer, command) => layer._waiting.Add((command, layer.Sender)), static (layer, _) => !layer._isQueueing);
        Always(state);
        Otherwise(state);
    });

    private static readonly Behavior<LayerActor> Mounted = new(static state =>
    {
        state.On<LayerProtocol.Acquire>(static (layer, command) => layer.Acquire(command, layer.Sender));
        state.On<LayerProtocol.Release>(static (layer, command) => layer.Release(command));
        state.On<LayerProtocol.ReleaseAll>(static (layer, command) => layer.UnmountFor(layer.Sender, new LeaseEvent.Cleared(), command.Force, command.Reason));
        state.On<LayerInternal.UnmountUnheld>(static (layer, _) =>
        {
            if (layer._state.IsLingering) layer.UnmountFor(layer.Sender, new LeaseEvent.Cleared(), force: false, reason: null);
            else layer.Sender.Tell(new LayerProtocol.Released(layer.Id, layer._state.Leases.Length));
        });
        state.On<Terminated>(static (layer, died) => layer.HolderIsDead(died.ActorRef));
        state.On<RetryUnmount>(static (layer, _) => layer.UnmountLingering());
        state.On<CheckTerms>(static (layer, _) => layer.EndOver());
        state.On<LayerInternal.Drain>(static (layer, command) => layer.Drain(command));
        state.On<LayerInternal.Hold>(static (layer, command) => layer.Hold(command));
        state.On<LayerInternal.Forget>(static (layer, _) => layer.UnmountAndForget());
        Leftovers(state);
        Always(state);
        Otherwise(state);
    });

    private static readonly Behavior<LayerActor> Unmounting = new(static state =>
    {
        state.On<DriverProtocol.Completed<Nothing>>(
            static (layer, _) =>
            {
                layer._state = layer._state.Unmounted();
                Context.System.EventStream.Publish(new LayerProtocol.LayerUnmounted(layer.Id));
                layer.Show();
                layer._then.Done();
            },
            IsCurrent);
        state.On<DriverProtocol.Failed>(static (layer, failed) => layer._then.Failed(failed.Error), IsCurrent);
        Always(state);
        Otherwise(state);
    });

    private void AcquireFirst(LayerProtocol.Acquire command, IActorRef requester)
    {
        if (_state.Decide(command) is AcquireDecision.Refuse refusal) requester.Tell(new StoreProtocol.Refused(refusal.Error));
        else MountFor(command, requester);
    }

    private void Acquire(LayerProtocol.Acquire command, IActorRef requester)
    {
        switch (_state.Decide(command))
        {
            case AcquireDecision.Grant:
                var acquired = Grant(command);
                Show();
                requester.Tell(acquired);
                break;
            case AcquireDecision.Refuse refusal:
                requester.Tell(new StoreProtocol.Refused(refusal.Error));
                break;
            default:
                Unmount(force: false, () => MountFor(command, requester), error => StayMounted(requester, error));
                break;
        }
    }

    /// <summary>The answer is for after the lease is shown: who has it may ask what is mounted.</summary>
    private LayerProtocol.Acquired Grant(LayerProtocol.Acquire command)
    {
        var owner = OwnerOf(command);
        var existing = _state.Find(command.Lease);
        var until = _environment.Time.GetUtcNow() + command.Term;
        if (existing is null || existing.Owner != owner || existing.Until != until)
        {
            // A repeat by another holder hands the lease over: the name is the claim, its latest holder's life its term.
            Unwatch(command.Lease);
            var since = existing?.Since ?? _environment.Time.GetUtcNow();
            Record(new LeaseEvent.Granted(command.Lease, owner, since, _environment.BootId, _environment.Run, _state.Mount!.Mode, _state.Options.Count == 0 ? null : _state.Options, until, _state.OtherIds));
            Watch(command.Lease, command.Holder);
            WatchTerms();
            Timers.Cancel(RetryUnmount.Instance);
        }

        return new LayerProtocol.Acquired(Id, command.Lease, _state.Mount!.Path, _state.Mount.Mode, _state.Leases.Length);
    }

    private void Release(LayerProtocol.Release command)
    {
        switch (_state.Decide(command))
        {
            case ReleaseDecision.Refuse refusal:
                Sender.Tell(new StoreProtocol.Refused(refusal.Error));
                break;
            case ReleaseDecision.UnmountLingering:
                UnmountFor(Sender, new LeaseEvent.Cleared(), command.Force, command.Reason);
                break;
            case ReleaseDecision.End ended:
                End(ended.Lease, command.Reason);
                Show();
                Sender.Tell(new LayerProtocol.Released(Id, _state.Leases.Length));
                break;
            case ReleaseDecision.Unmount last:
                UnmountFor(Sender, new LeaseEvent.Released(last.Lease, command.Reason), command.Force, command.Reason);
                break;
        }
    }

    private void End(LeaseId lease, string? reason)
    {
        if (reason is not null) Announce(_state.Find(lease)!, reason);
        Unwatch(lease);
        Record(new LeaseEvent.Released(lease, reason));
    }

    private void HolderIsDead(IActorRef holder)
    {
        if (!_holders.Remove(holder, out var leases) || leases.Count == 0) return;
        foreach (var lease in leases)
        {
            Announce(_state.Find(lease)!, "its holder has ended");
            Record(new LeaseEvent.Released(lease));
        }

        Show();
        if (_state.IsLingering) UnmountLingering();
    }

    private void MountFor(LayerProtocol.Acquire command, IActorRef requester)
    {
        _waiting.Add((command, requester));
        Mount(_state.ModeFor(command.Options), command.Options.Options, _state.IdsFor(command.Options));
    }

    private void Mount(MountMode mode, IReadOnlyList<string>? options, IdMap ids)
    {
        _options = options;
        Perform(new MountLayer(new MountRequest(_setup.Location, _setup.Parents, mode, options ?? []) { Ids = ids }));
        _behavior = Mounting;
    }

    private void MountIsThere(ActiveMount mount)
    {
        _state = _state.Mounted(mount, _options);
        Context.System.EventStream.Publish(new LayerProtocol.LayerMounted(Id, mount.Path));
        // The mount was made as the first wanted it; whether it suits the others is decided now.
        var answers = TakeWaiting().ConvertAll(waiting => (waiting.Requester, Answer: _state.Decide(waiting.Command) is AcquireDecision.Refuse refusal
            ? (object)new StoreProtocol.Refused(refusal.Error) : Grant(waiting.Command)));
        Show();
        foreach (var (requester, answer) in answers) requester.Tell(answer);
        Enter(Mounted);
        UnmountLingering();
    }

    private void MountFailed(StorageError error)
    {
        foreach (var (_, requester) in TakeWaiting()) requester.Tell(new StoreProtocol.Refused(error));
        if (!_state.Leases.IsEmpty)
        {
            _log.Warning("layer {0}: it cannot be mounted again for {1}, whose leases end: {2}", Id, _state.Names(), error);
            UnwatchAll();
            Record(new LeaseEvent.Cleared());
            Show();
        }

        Enter(Unmounted);
    }

    private List<(LayerProtocol.Acquire Command, IActorRef Requester)> TakeWaiting()
    {
        List<(LayerProtocol.Acquire, IActorRef)> waiting = [.. _waiting];
        _waiting.Clear();
        return waiting;
    }

    /// <summary>
    /// Unmounts because somebody gives back the last lease, or all; they end when the mount is gone, not before. What outlives this process ends in the journal first: a
    /// crash in between leaves a mount that nobody holds, which the next start takes away, and not a lease that comes back without its mount.
    /// </summary>
    private void UnmountFor(IActorRef requester, IJournalEvent ending, bool force, string? reason)
    {
        var ended = reason is null ? [] : _state.Leases.Where(lease => ending is LeaseEvent.Cleared || ((LeaseEvent.Released)ending).Lease == lease.Lease).ToList();
        UnmountEnding(
            ending,
            force,
            () =>
            {
                foreach (var lease in ended) Announce(lease, reason!);
                requester.Tell(new LayerProtocol.Released(Id, 0));
                Enter(Unmounted);
            },
            error => StayMounted(requester, error));
    }

    /// <summary>Unmounts with leases that end by that: in the journal before, if some outlive this process.</summary>
    private void UnmountEnding(IJournalEvent ending, bool force, Action done, Action<StorageError> failed)
    {
        if (_state.Leases.All(static lease => lease.IsActors))
        {
            Unmount(force, () => Ended(() => Record(ending)), failed);
            return;
        }

        _attempt = DriverProtocol.NextAttempt(); // Nothing answers to it: the journal comes first.
        _behavior = Unmounting;
        Write(ending, () => Unmount(force, () => Ended(() => _state = _state.Apply(ending)), error =>
        {
            Write(InJournal(_state), static () => { }); // They stand.
            failed(error);
        }));

        void Ended(Action end)
        {
            UnwatchAll();
            end();
            done();
        }
    }

    private void UnmountAndForget() => Unmount(force: true, Forget, _ => Enter(Mounted));

    private void UnmountLingering()
    {
        if (_state.IsLingering) Unmount(force: false, () => Enter(Unmounted), _ => Enter(Mounted));
    }

    private void Unmount(bool force, Action done, Action<StorageError> failed)
    {
        Timers.Cancel(RetryUnmount.Instance);
        _then = (done, failed);
        _behavior = Unmounting;
        if (_writes == 0)
        {
            Perform(new UnmountLayer(_setup.Location, force));
            return;
        }

        // What ended just now must not come back, after a crash, without its mount.
        _attempt = DriverProtocol.NextAttempt();
        DeferAsync(force, isForced => Perform(new UnmountLayer(_setup.Location, isForced)));
    }

    /// <summary>The mount stays, and so do its leases; of a busy one the driver says who keeps it so.</summary>
    private void StayMounted(IActorRef requester, StorageError error)
    {
        requester.Tell(new StoreProtocol.Refused(error));
        Enter(Mounted);
    }
}
