using Akka.Actor;
using Akka.Persistence;

namespace StorageActors.EngineTests.AkkaCompat.PersistentActors;

/// <summary>A persistent actor that does what its commands say, and tells the test what happens to it.</summary>
internal sealed class Scripted : ReceivePersistentActor
{
    /// <summary>A command: what to do in the actor. It never leaves the process.</summary>
    public sealed record Do(Action<Scripted> Action) : INoSerializationVerificationNeeded;

    /// <summary>A command that runs until its task ends.</summary>
    public sealed record DoAsync(Func<Scripted, Task> Action) : INoSerializationVerificationNeeded;

    private readonly IActorRef _test;

    public static Props Props(string id, IActorRef test, Akka.Persistence.Recovery? recovery = null, Action<Scripted, object>? onRecover = null, string? journal = null) =>
        Akka.Actor.Props.Create(() => new Scripted(id, test, recovery, onRecover, journal));

    public Scripted(string id, IActorRef test, Akka.Persistence.Recovery? recovery, Action<Scripted, object>? onRecover, string? journal)
    {
        (PersistenceId, _test, Recovery, JournalPluginId) = (id, test, recovery ?? Akka.Persistence.Recovery.Default, journal);
        Recover<SnapshotOffer>(offer => Say($"offered {offer.Snapshot} of {offer.Metadata.SequenceNr}"));
        Recover<RecoveryCompleted>(_ =>
        {
            Say("recovered");
            onRecover?.Invoke(this, RecoveryCompleted.Instance);
        });
        Recover<string>(e =>
        {
            Say($"replayed {e}");
            onRecover?.Invoke(this, e);
        });
        Command<Do>(command => command.Action(this));
        CommandAsync<DoAsync>(command => command.Action(this));
        Command<string>(s => Say($"command {s}"));
        Command<SaveSnapshotSuccess>(m => Say($"saved {m.Metadata.SequenceNr}"));
        Command<DeleteMessagesSuccess>(m => Say($"deleted to {m.ToSequenceNr}"));
        Command<DeleteMessagesFailure>(m => Say($"not deleted to {m.ToSequenceNr}"));
        Command<DeleteSnapshotSuccess>(m => Say($"deleted snapshot {m.Metadata.SequenceNr}"));
        Command<DeleteSnapshotsSuccess>(m => Say($"deleted snapshots to {m.Criteria.MaxSequenceNr}"));
    }

    public override string PersistenceId { get; }

    public override Akka.Persistence.Recovery Recovery { get; }

    public new IActorRef Sender => base.Sender;

    public new IActorRef Self => base.Self;

    public void Say(string what) => _test.Tell(what);

    public void Store(string e) => Persist(e, stored => Say($"stored {stored}"));

    public void Held() => Become(() =>
    {
        Command<Do>(command => command.Action(this));
        Command<string>(_ => Stash.Stash());
    });

    public void Released()
    {
        Become(() =>
        {
            Command<Do>(command => command.Action(this));
            Command<string>(s => Say($"command {s}"));
        });
        Stash.UnstashAll();
    }

    protected override void OnPersistFailure(Exception cause, object @event, long sequenceNr) =>
        Say($"failed {@event} as {sequenceNr}");

    protected override void OnPersistRejected(Exception cause, object @event, long sequenceNr) =>
        Say($"rejected {@event.GetType().Name} as {sequenceNr}");

    protected override void OnRecoveryFailure(Exception reason, object? message = null) =>
        Say($"recovery failed on {message ?? "nothing"}: {reason.GetType().Name}");
}
