using Akka.Actor;
using Akka.Persistence.Journal;
using Akka.TestKit;
using StorageActors.Drivers;
using StorageActors.DriverOperations;
using StorageActors.EngineTests.Support;
using StorageActors.Layers;
using StorageActors.Protocol;
using StorageActors.Store;
using Xunit;

namespace StorageActors.EngineTests.Layers;

public sealed partial class LayersActorTests : EngineTest
{
    private static readonly LayerId Layer = LayerId.Parse("some-layer");
    private static readonly ActiveMount ReadWrite = new("/store/some-layer/merged", MountMode.ReadWrite);
    private static readonly ActiveMount ReadOnly = ReadWrite with { Mode = MountMode.ReadOnly };
    private static readonly LayerSetup Setup = new(new LayerLocation(Layer, "/store/some-layer"), [], LayerKind.Writable, DateTimeOffset.UnixEpoch);
    private readonly StoreMetrics _metrics = new();
    private readonly MountView _mounts = new();
    private readonly TestProbe _operations;

    public LayersActorTests()
        : base($$"""
            akka.persistence.journal.plugin = "akka.persistence.journal.breakable"
            akka.persistence.journal.breakable.class = "{{typeof(BreakableJournal).AssemblyQualifiedName}}"
            """)
    {
        _operations = MakeProbe();
        _operations.IgnoreMessages(static message => message is DriverProtocol.Perform { Operation: MakeRoom });
    }

    [Fact]
    public void Messages_reach_a_layer_that_is_started_for_them_with_their_sender()
    {
        var layers = Layers();
        Acquire(layers, "one");
        Settle();
        ExpectMsg<LayerProtocol.Acquired>();
        Assert.Equal("one", _mounts.List().Single().Leases.Single().Lease.Value);
        Assert.Equal(1, _metrics.Counters().ToDictionary()["mounts"]);
    }

    [Fact]
    public void An_idle_layers_actor_stops_and_the_next_message_starts_it_again()
    {
        var layers = Layers(idle: TimeSpan.FromMilliseconds(20));
        for (var round = 0; round < 3; round++)
        {
            Release(layers, "one");
            Answer<FindMount, FoundMount>(new FoundMount(null)); // Asked by each new actor.
            Assert.Equal(StorageErrorCode.WrongState, ExpectMsg<StoreProtocol.Refused>().Error.Code);
            WaitForStop(layers);
        }
    }

    [Fact]
    public void No_message_is_lost_between_stopping_and_starting()
    {
        var layers = Layers(idle: TimeSpan.FromMilliseconds(1));
        _operations.SetAutoPilot(new NothingIsMounted());
        for (var message = 0; message < 500; message++)
        {
            Release(layers, "one");
            Assert.Equal(StorageErrorCode.WrongState, ExpectMsg<StoreProtocol.Refused>().Error.Code);
            if (message % 50 == 0) WaitForStop(layers);
        }
    }

    [Fact]
    public void A_lease_survives_a_journal_that_fails()
    {
        var layers = Layers();
        Acquire(layers, "kept");
        Settle();
        ExpectMsg<LayerProtocol.Acquired>();
        Flush(layers);
        DriverProtocol.Perform successor;
        BreakableJournal.WritesFail = true;
        try
        {
            Acquire(layers, "unwritten"); // Granted, then the journal fails, and with it the layer's actor.
            ExpectMsg<LayerProtocol.Acquired>();
            successor = Expect<FindMount>(); // Of its successor, which the parent starts by itself.
        }
        finally
        {
            BreakableJournal.WritesFail = false;
        }

        _operations.Reply(new DriverProtocol.Completed<FoundMount>(successor.Attempt, new FoundMount(ReadWrite)));
        Assert.Equal(["kept", "unwritten"], _mounts.List().Single().Leases.Select(static lease => lease.Lease.Value));
        Release(layers, "unwritten");
        ExpectMsg<LayerProtocol.Released>();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_mount_goes_when_the_journal_has_the_end_of_every_lease_that_outlives_the_process(bool byForce)
    {
        var layers = Layers();
        Acquire(layers, "lasting");
        Settle();
        ExpectMsg<LayerProtocol.Acquired>();
        layers.Tell(new LayerInternal.Deliver(Setup, new LayerProtocol.Acquire(Layer, LeaseId.Parse("own"), MountOptions.Default, TestActor)));
        ExpectMsg<LayerProtocol.Acquired>();
        Flush(layers);
        var gate = BreakableJournal.Gate = new TaskCompletionSource();
        try
        {
            if (byForce)
            {
                layers.Tell(new LayerInternal.Deliver(Setup, new LayerInternal.Drain(Force: true)));
            }
            else
            {
                Release(layers, "lasting");
                ExpectMsg<LayerProtocol.Released>();
                Release(layers, "own");
            }

            layers.Tell(new LayerInternal.Deliver(Setup, new LayerProtocol.WhyBusy(Layer)));
            Expect<FindHolders>(); // And no unmount before it.
            gate.SetResult();
        }
        finally
        {
            BreakableJournal.Gate = null;
        }

        Answer<UnmountLayer, Nothing>(Nothing.Instance);
        if (byForce) ExpectMsg<LayerInternal.Drained>();
        else Assert.Equal(0, ExpectMsg<LayerProtocol.Released>().LeasesLeft);
    }

    [Fact]
    public void What_a_layer_owes_when_its_journal_fails_its_successor_answers_once()
    {
        var layers = Layers();
        Acquire(layers, "kept");
        Settle();
        ExpectMsg<LayerProtocol.Acquired>();
        Flush(layers);
        var gate = BreakableJournal.Gate = new TaskCompletionSource();
        try
        {
            Acquire(layers, "unwritten");
            ExpectMsg<LayerProtocol.Acquired>();
            layers.Tell(new LayerInternal.Deliver(Setup, new LayerProtocol.Describe(Layer, MountOptions.Default)));
            Expect<DescribeMount>();
            layers.Tell(new LayerInternal.Deliver(Setup, new LayerProtocol.ReleaseAll(Layer))); // Waits for the journal.
            Acquire(layers, "later"); // In the stash.
            BreakableJournal.WritesFail = true;
            gate.SetResult();
            var successor = Expect<FindMount>();
            BreakableJournal.WritesFail = false;
            BreakableJournal.Gate = null;
            _operations.Reply(new DriverProtocol.Completed<FoundMount>(successor.Attempt, new FoundMount(ReadWrite)));
        }
        finally
        {
            BreakableJournal.WritesFail = false;
            BreakableJournal.Gate = null;
        }

        Answer<DescribeMount, IReadOnlyList<MountStep>>([new MountStep("bind", "x", [])]);
        ExpectMsg<LayerProtocol.Described>();
        Answer<UnmountLayer, Nothing>(Nothing.Instance);
        Assert.Equal(0, ExpectMsg<LayerProtocol.Released>().LeasesLeft);
        Answer<MountLayer, ActiveMount>(ReadWrite);
        Assert.Equal("later", ExpectMsg<LayerProtocol.Acquired>().Lease.Value);
    }

    [Fact]
    public void A_command_that_fails_two_actors_is_refused_and_not_given_to_a_third()
    {
        var starts = 0;
        Action started = () => Interlocked.Increment(ref starts);
        var layers = Sys.ActorOf(LayersActor.Props(Environment(), (setup, _) => Props.Create(() => new Failing(started, setup.Id))));
        Acquire(layers, "one");
        Assert.Equal(StorageErrorCode.Internal, ExpectMsg<StoreProtocol.Refused>().Error.Code);
        Assert.Equal(2, starts);
    }

    [Fact]
    public void A_layer_that_was_sealed_does_not_come_back_writable()
    {
        var layers = Layers();
        Acquire(layers, "one", readOnly: true);
        Answer<FindMount, FoundMount>(new FoundMount(null));
        Answer<MountLayer, ActiveMount>(ReadOnly);
        ExpectMsg<LayerProtocol.Acquired>();
        layers.Tell(new LayerInternal.Deliver(Setup, new LayerInternal.Hold(TestActor)));
        ExpectMsg<LayerInternal.Held>();
        layers.Tell(new LayerInternal.Deliver(Setup with { Kind = LayerKind.Sealed }, new LayerInternal.Unhold(LayerKind.Sealed)));
        FailByJournal(layers, new FoundMount(ReadOnly));
        layers.Tell(new LayerInternal.Deliver(Setup, new LayerProtocol.ReleaseAll(Layer))); // By somebody who has not heard of the seal.
        Answer<UnmountLayer, Nothing>(Nothing.Instance);
        ExpectMsg<LayerProtocol.Released>();
        Acquire(layers, "two");
        var mount = Expect<MountLayer>();
        Assert.Equal(MountMode.ReadOnly, ((MountLayer)mount.Operation).Request.Mode);
    }

    [Fact]
    public void A_layer_that_is_held_for_sealing_stays_held_when_its_actor_is_replaced()
    {
        var layers = Layers();
        Acquire(layers, "one", readOnly: true);
        Answer<FindMount, FoundMount>(new FoundMount(null));
        Answer<MountLayer, ActiveMount>(ReadOnly);
        ExpectMsg<LayerProtocol.Acquired>();
        Flush(layers);
        DriverProtocol.Perform successor;
        var gate = BreakableJournal.Gate = new TaskCompletionSource();
        try
        {
            Acquire(layers, "two", readOnly: true);
            ExpectMsg<LayerProtocol.Acquired>();
            layers.Tell(new LayerInternal.Deliver(Setup, new LayerInternal.Hold(TestActor)));
            ExpectMsg<LayerInternal.Held>();
            BreakableJournal.WritesFail = true;
            gate.SetResult();
            successor = Expect<FindMount>();
        }
        finally
        {
            BreakableJournal.WritesFail = false;
            BreakableJournal.Gate = null;
        }

        _operations.Reply(new DriverProtocol.Completed<FoundMount>(successor.Attempt, new FoundMount(ReadOnly)));

        layers.Tell(new LayerInternal.Deliver(Setup, new LayerProtocol.ReleaseAll(Layer)));
        layers.Tell(new LayerInternal.Deliver(Setup, new LayerProtocol.WhyBusy(Layer)));
        Answer<FindHolders, IReadOnlyList<string>>([]); // It is in service for questions alone: nothing was unmounted before.
        ExpectMsg<LayerProtocol.Holders>();
        layers.Tell(new LayerInternal.Deliver(Setup, new LayerInternal.Unhold(LayerKind.Writable)));
        Answer<UnmountLayer, Nothing>(Nothing.Instance);
        ExpectMsg<LayerProtocol.Released>();
    }

    [Fact]
    public void Another_layer_with_the_id_of_one_that_went_gets_an_actor_of_its_own_and_its_messages()
    {
        var layers = Layers();
        Release(layers, "one");
        Answer<FindMount, FoundMount>(new FoundMount(null));
        ExpectMsg<StoreProtocol.Refused>();
        layers.Tell(new LayerInternal.Deliver(Setup, new LayerInternal.Drain(Force: false)));
        ExpectMsg<LayerInternal.Drained>();
        layers.Tell(new LayerInternal.Deliver(Setup, new LayerInternal.Forget()));
        layers.Tell(new LayerInternal.Deliver(
            Setup with { Created = Setup.Created.AddTicks(1) }, new LayerProtocol.Acquire(Layer, LeaseId.Parse("new"), MountOptions.Default)));
        Settle();
        ExpectMsg<LayerProtocol.Acquired>();
    }

    [Fact]
    public void A_layer_whose_journal_cannot_be_read_is_refused_and_nobody_waits_for_ever()
    {
        BreakableJournal.ReadsFail = true;
        try
        {
            var layers = Layers();
            Acquire(layers, "one");
            Assert.Equal(StorageErrorCode.Io, ExpectMsg<StoreProtocol.Refused>().Error.Code);
        }
        finally
        {
            BreakableJournal.ReadsFail = false;
        }
    }

    protected override void AfterAll()
    {
        base.AfterAll();
        _metrics.Dispose();
    }

    private TestProbe MakeProbe() => CreateTestProbe("operations");

    private IActorRef Layers(TimeSpan? idle = null) => Sys.ActorOf(LayersActor.Props(Environment(idle)), "layers");

    private LayerEnvironment Environment(TimeSpan? idle = null) =>
        new(_operations, TimeProvider.System, "boot", "run", _metrics, _mounts, idle ?? TimeSpan.FromMinutes(5), TimeSpan.FromSeconds(5));

    private static void Acquire(IActorRef layers, string lease, bool readOnly = false) =>
        layers.Tell(new LayerInternal.Deliver(Setup, new LayerProtocol.Acquire(Layer, LeaseId.Parse(lease), new MountOptions(readOnly))));

    /// <summary>The next lease ends the layer's actor; its successor finds the mount.</summary>
    private void FailByJournal(IActorRef layers, FoundMount mount)
    {
        Flush(layers);
        DriverProtocol.Perform successor;
        BreakableJournal.WritesFail = true;
        try
        {
            Acquire(layers, "unwritten", readOnly: true);
            ExpectMsg<LayerProtocol.Acquired>();
            successor = Expect<FindMount>();
        }
        finally
        {
            BreakableJournal.WritesFail = false;
        }

        _operations.Reply(new DriverProtocol.Completed<FoundMount>(successor.Attempt, mount));
    }

    /// <summary>Until the journal has what was answered before it had it: only then does a failure meet the next write and no earlier one.</summary>
    private void Flush(IActorRef layers)
    {
        layers.Tell(new LayerInternal.Flush(1));
        ExpectMsg<LayerInternal.Flushed>();
    }

    private static void Release(IActorRef layers, string lease) =>
        layers.Tell(new LayerInternal.Deliver(Setup, new LayerProtocol.Release(Layer, LeaseId.Parse(lease))));

    private void Settle()
    {
        Answer<FindMount, FoundMount>(new FoundMount(null));
        Answer<MountLayer, ActiveMount>(ReadWrite);
    }

    private DriverProtocol.Perform Expect<TOperation>() where TOperation : DriverOperation =>
        _operations.ExpectMsg<DriverProtocol.Perform>(static perform => perform.Operation is TOperation);

    private void Answer<TOperation, TResult>(TResult result) where TOperation : DriverOperation<TResult>
    {
        var perform = Expect<TOperation>();
        _operations.Reply(new DriverProtocol.Completed<TResult>(perform.Attempt, result));
    }

    /// <summary>Until the layer's actor has asked to stop and has stopped: only its passivation ends it here.</summary>
    private void WaitForStop(IActorRef layers)
    {
        Sys.ActorSelection(layers.Path / "*").Tell(new Identify(null));
        var layer = ExpectMsg<ActorIdentity>().Subject;
        if (layer.IsNobody()) return;
        Watch(layer!);
        ExpectTerminated(layer!);
    }

    /// <summary>A layer whose actor has a defect.</summary>
    private sealed class Failing : ReceiveActor
    {
        public Failing(Action started, LayerId layer)
        {
            started();
            Context.Parent.Tell(new LayerInternal.Ready(layer));
            Receive<LayerProtocol.ICommand>(_ => throw new InvalidOperationException("a defect"));
        }
    }

    private sealed class NothingIsMounted : AutoPilot
    {
        public override AutoPilot Run(IActorRef sender, object message)
        {
            if (message is DriverProtocol.Perform { Operation: FindMount } perform)
                sender.Tell(new DriverProtocol.Completed<FoundMount>(perform.Attempt, new FoundMount(null)));
            return KeepRunning;
        }
    }
}
