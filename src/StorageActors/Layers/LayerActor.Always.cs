using Akka.Actor;
using Akka.Event;
using Akka.Persistence;
using StorageActors.Dispatching;
using StorageActors.Drivers;
using StorageActors.DriverOperations;
using StorageActors.Protocol;

namespace StorageActors.Layers;

/// <content>What is the same in every state.</content>
internal sealed partial class LayerActor
{
    /// <summary>Questions, and what comes from the journal and the parent. For the start of a state, after what it does itself.</summary>
    private static void Always(Behavior<LayerActor> state)
    {
        state.On<LayerProtocol.Describe>(static (layer, command) => layer.Describe(command));
        state.On<LayerProtocol.WhyBusy>(static (layer, _) => layer.SayWhyBusy());
        state.On<LayerInternal.ChangeDamage>(static (layer, command) => layer._state = layer._state with { Damage = command.Damage });
        state.On<LayerInternal.Wake>(static (layer, _) => layer.Sender.Tell(new LayerInternal.Awake(layer.Id, layer._state.Record)), IsSettled);
        state.On<LayerInternal.Flush>(static (layer, flush) => layer.DeferAsync(layer.Sender, requester => requester.Tell(new LayerInternal.Flushed(flush.Number))), IsSettled);
        state.On<LayerInternal.StopIdle>(static (layer, _) => Context.Parent.Tell(new LayerInternal.StillBusy(layer.Id)));
        state.On<ReceiveTimeout>(Nothing);
        state.On<RetryUnmount>(Nothing);
        state.On<CheckTerms>(Nothing);
        state.On<SaveSnapshotSuccess>(static (layer, saved) => layer.SummedUp(saved.Metadata.SequenceNr));
        state.On<SaveSnapshotFailure>(static (layer, failure) => layer._log.Warning("layer {0}: its leases could not be summed up: {1}", layer.Id, failure.Cause.Message));
        state.On<DeleteMessagesSuccess>(Nothing);
        state.On<DeleteMessagesFailure>(static (layer, failure) => layer._log.Warning("layer {0}: rows of its journal stay: {1}", layer.Id, failure.Cause.Message));
        state.On<DeleteSnapshotsSuccess>(Nothing);
        state.On<DeleteSnapshotsFailure>(static (layer, failure) => layer._log.Warning("layer {0}: old snapshots stay: {1}", layer.Id, failure.Cause.Message));
    }

    /// <summary>What comes after its time and must not wait in the stash for a state that would take it for news.</summary>
    private static void Leftovers(Behavior<LayerActor> state)
    {
        state.On<Terminated>(static (layer, died) => layer._holders.Remove(died.ActorRef));
        state.On<LayerInternal.Undrain>(Nothing);
        state.On<LayerInternal.Unhold>(static (layer, command) => layer.Change(command));
    }

    /// <summary>Answers to questions are given, those to attempts of long ago left alone; everything else waits. For the end of a state.</summary>
    private static void Otherwise(Behavior<LayerActor> state)
    {
        state.On<DriverProtocol.IReply>(static (layer, reply) =>
        {
            if (layer._queries.Remove(reply.Attempt, out var answer)) answer(reply);
        });
        state.On<object>(static (layer, _) =>
        {
            layer._isQueueing = true;
            layer.Stash.Stash();
        });
    }

    private static void Nothing<TMessage>(LayerActor layer, TMessage message)
    {
    }

    /// <summary>Whether it waits for nothing that it began by itself or for somebody.</summary>
    private static bool IsSettled<TMessage>(LayerActor layer, TMessage message) => layer._attempt == 0;

    private void SayWhyBusy()
    {
        var requester = Sender;
        if (_state.Mount is null) requester.Tell(new LayerProtocol.Holders(Id, []));
        else Query(new FindHolders(_state.Mount.Path), reply => requester.Tell(reply switch
        {
            DriverProtocol.Completed<IReadOnlyList<string>> found => new LayerProtocol.Holders(Id, found.Result),
            _ => new StoreProtocol.Refused(((DriverProtocol.Failed)reply).Error),
        }));
    }

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
