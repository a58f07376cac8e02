using Akka.Actor;
using Akka.Event;
using Akka.Persistence;
using StorageActors.Drivers;
using StorageActors.DriverOperations;
using StorageActors.Protocol;
using StorageActors.Store;

namespace StorageActors.Layers;

/// <content>What is the same in every state.</content>
internal sealed partial class LayerActor
{
    /// <summary>Questions, and what comes from the journal and the parent. For the start of a state, after what it does itself.</summary>
    private void Always()
    {
        Command<LayerProtocol.Describe>(Describe);
        Command<LayerProtocol.WhyBusy>(_ =>
        {
            var requester = Sender;
            if (_state.Mount is null) requester.Tell(new LayerProtocol.Holders(Id, []));
            else Query(new FindHolders(_state.Mount.Path), reply => requester.Tell(reply switch
            {
                DriverProtocol.Completed<IReadOnlyList<string>> found => new LayerProtocol.Holders(Id, found.Result),
                _ => new StoreProtocol.Refused(((DriverProtocol.Failed)reply).Error),
            }));
        });
        Command<LayerInternal.ChangeDamage>(command => _state = _state with { Damage = command.Damage });
        Command<LayerInternal.Wake>(_ => Sender.Tell(new LayerInternal.Awake(Id, _state.Record)), _ => IsSettled);
        Command<LayerInternal.Flush>(flush => DeferAsync(Sender, requester => requester.Tell(new LayerInternal.Flushed(flush.Number))), _ => IsSettled);
        Command<LayerInternal.StopIdle>(_ => Context.Parent.Tell(new LayerInternal.StillBusy(Id)));
        Command<ReceiveTimeout>(static _ => { });
        Command<RetryUnmount>(static _ => { });
        Command<CheckTerms>(static _ => { });
        Command<SaveSnapshotSuccess>(saved =>
        {
            CrashPoint.Reached(CrashPoint.LeaseSnapshotSaved);
            DeleteMessages(saved.Metadata.SequenceNr);
            DeleteSnapshots(new SnapshotSelectionCriteria(saved.Metadata.SequenceNr - 1));
        });
        Command<SaveSnapshotFailure>(failure => _log.Warning("layer {0}: its leases could not be summed up: {1}", Id, failure.Cause.Message));
        Command<DeleteMessagesSuccess>(static _ => { });
        Command<DeleteMessagesFailure>(failure => _log.Warning("layer {0}: rows of its journal stay: {1}", Id, failure.Cause.Message));
        Command<DeleteSnapshotsSuccess>(static _ => { });
        Command<DeleteSnapshotsFailure>(failure => _log.Warning("layer {0}: old snapshots stay: {1}", Id, failure.Cause.Message));
    }

    /// <summary>What comes after its time and must not wait in the stash for a state that would take it for news.</summary>
    private void Leftovers()
    {
        Command<HolderDied>(static _ => { });
        Command<LayerInternal.Undrain>(static _ => { });
        Command<LayerInternal.Unhold>(Change);
    }

    /// <summary>Answers to questions are given, those to attempts of long ago left alone; everything else waits. For the end of a state.</summary>
    private void Otherwise()
    {
        Command<DriverProtocol.IReply>(reply =>
        {
            if (_queries.Remove(reply.Attempt, out var answer)) answer(reply);
        });
        CommandAny(_ =>
        {
            _isQueueing = true;
            Stash.Stash();
        });
    }

    /// <summary>Whether it waits for nothing that it began by itself or for somebody.</summary>
    private bool IsSettled => _attempt == 0;

    private void Describe(LayerProtocol.Describe command)
    {
        var requester = Sender;
        var request = new MountRequest(_setup.Location, _setup.Parents, _state.ModeFor(command.Options), command.Options.Options ?? []) { Ids = _state.IdsFor(command.Options) };
        Query(new DescribeMount(request), reply => requester.Tell(reply switch
        {
            DriverProtocol.Completed<IReadOnlyList<MountStep>> described => new LayerProtocol.Described(Id, described.Result),
            _ => new StoreProtocol.Refused(((DriverProtocol.Failed)reply).Error),
        }));
    }
}
