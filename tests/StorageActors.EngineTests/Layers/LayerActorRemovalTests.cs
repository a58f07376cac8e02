using Akka.Actor;
using StorageActors.Drivers;
using StorageActors.DriverOperations;
using StorageActors.Layers;
using StorageActors.Protocol;
using Xunit;

namespace StorageActors.EngineTests.Layers;

public sealed class LayerActorRemovalTests : LayerActorTest
{
    [Fact]
    public void A_layer_that_is_held_is_not_drained_and_the_refusal_names_who_holds_it()
    {
        var layer = StartMounted();
        Two.Send(layer, new LayerInternal.Drain(Force: false));
        var error = Two.ExpectMsg<StoreProtocol.Refused>().Error;
        Assert.Equal(StorageErrorCode.InUse, error.Code);
        Assert.Contains("for one", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Draining_by_force_ends_the_leases_and_detaches_the_mount()
    {
        var layer = StartMounted();
        Two.Send(layer, new LayerInternal.Drain(Force: true));
        Assert.True(AnswerUnmount().Force);
        Two.ExpectMsg<LayerInternal.Drained>();
        Two.Send(layer, new LayerInternal.Undrain());
        Release(layer, One, "one");
        Assert.Equal(StorageErrorCode.WrongState, Refusal(One));
    }

    [Fact]
    public void When_draining_by_force_fails_the_mount_and_its_leases_stay()
    {
        var layer = StartMounted();
        Two.Send(layer, new LayerInternal.Drain(Force: true));
        Fail<UnmountLayer>(StorageErrorCode.Io);
        Assert.Equal(StorageErrorCode.Io, Refusal(Two));
        Acquire(layer, Two, "two");
        Assert.Equal(2, Two.ExpectMsg<LayerProtocol.Acquired>().Leases);
        Release(layer, One, "one");
        Assert.Equal(1, One.ExpectMsg<LayerProtocol.Released>().LeasesLeft);
    }

    [Fact]
    public void Commands_wait_for_whether_a_drained_layer_stays()
    {
        var layer = StartUnmounted();
        Two.Send(layer, new LayerInternal.Drain(Force: false));
        Two.ExpectMsg<LayerInternal.Drained>();
        Acquire(layer, One, "one");
        Two.Send(layer, new LayerInternal.Undrain());
        Answer<MountLayer, ActiveMount>(ReadWrite);
        One.ExpectMsg<LayerProtocol.Acquired>();
    }

    [Fact]
    public void Commands_for_a_layer_that_went_are_refused_and_its_actor_and_its_leases_go()
    {
        var layer = StartMounted();
        Two.Send(layer, new LayerInternal.Drain(Force: true));
        AnswerUnmount();
        Two.ExpectMsg<LayerInternal.Drained>();
        Acquire(layer, One, "late");
        One.Send(layer, new LayerProtocol.WhyBusy(Layer)); // A question is answered while it waits.
        Assert.Empty(One.ExpectMsg<LayerProtocol.Holders>().Lines);
        Two.Send(layer, new LayerInternal.Forget());
        Assert.Equal(StorageErrorCode.NotFound, Refusal(One));
        AwaitEnd();
        Start();
        Answer<FindMount, FoundMount>(new FoundMount(ReadWrite));
        Expect<UnmountLayer>(); // Nobody holds it: the journal is empty.
    }

    [Fact]
    public void A_question_that_is_open_when_the_layer_goes_is_refused()
    {
        var layer = StartUnmounted();
        One.Send(layer, new LayerProtocol.Describe(Layer, MountOptions.Default));
        Expect<DescribeMount>();
        Two.Send(layer, new LayerInternal.Drain(Force: false));
        Two.ExpectMsg<LayerInternal.Drained>();
        Two.Send(layer, new LayerInternal.Forget());
        Assert.Equal(StorageErrorCode.NotFound, Refusal(One));
    }

    [Fact]
    public void A_layer_that_was_never_mounted_goes_at_once()
    {
        var layer = StartUnmounted();
        Watch(layer);
        Two.Send(layer, new LayerInternal.Drain(Force: false));
        Two.ExpectMsg<LayerInternal.Drained>();
        Two.Send(layer, new LayerInternal.Forget());
        ExpectTerminated(layer);
    }

    [Fact]
    public void A_lingering_mount_is_unmounted_to_drain_the_layer()
    {
        var holder = SomeActor();
        var layer = StartMounted(holder);
        Sys.Stop(holder);
        var first = Expect<UnmountLayer>();
        Two.Send(layer, new LayerInternal.Drain(Force: false));
        Operations.Reply(new DriverProtocol.Failed(first.Attempt, new StorageError(StorageErrorCode.InUse, "test", "busy")));
        Assert.False(AnswerUnmount().Force);
        Two.ExpectMsg<LayerInternal.Drained>();
    }

    [Fact]
    public void A_layer_that_is_written_to_is_not_held_for_sealing()
    {
        var layer = StartMounted();
        Two.Send(layer, new LayerInternal.Hold(Two));
        Assert.Equal(StorageErrorCode.InUse, Refusal(Two));
    }

    [Fact]
    public void Commands_wait_while_a_layer_is_held_and_find_it_sealed()
    {
        var layer = StartUnmounted();
        Two.Send(layer, new LayerInternal.Hold(Two));
        Two.ExpectMsg<LayerInternal.Held>();
        Acquire(layer, One, "one");
        Two.Send(layer, new LayerInternal.Unhold(LayerKind.Sealed));
        Assert.Equal(MountMode.ReadOnly, Answer<MountLayer, ActiveMount>(ReadOnly).Request.Mode);
        One.ExpectMsg<LayerProtocol.Acquired>();
    }

    [Fact]
    public void A_layer_that_is_only_read_stays_mounted_while_it_is_held()
    {
        var layer = StartMounted(mode: MountMode.ReadOnly);
        Two.Send(layer, new LayerInternal.Hold(Two));
        Two.ExpectMsg<LayerInternal.Held>();
        Release(layer, One, "one");
        Two.Send(layer, new LayerInternal.Unhold(LayerKind.Sealed));
        AnswerUnmount();
        One.ExpectMsg<LayerProtocol.Released>();
    }

    [Fact]
    public void A_hold_ends_with_who_asked_for_it()
    {
        var layer = StartUnmounted();
        var sealer = CreateTestProbe();
        sealer.Send(layer, new LayerInternal.Hold(sealer));
        sealer.ExpectMsg<LayerInternal.Held>();
        Acquire(layer, One, "one");
        Sys.Stop(sealer.Ref);
        Assert.Equal(MountMode.ReadWrite, Answer<MountLayer, ActiveMount>(ReadWrite).Request.Mode);
        One.ExpectMsg<LayerProtocol.Acquired>();
    }

    [Fact]
    public void A_holder_that_also_seals_keeps_its_lease()
    {
        var sealer = CreateTestProbe();
        var layer = StartMounted(sealer.Ref, MountMode.ReadOnly);
        sealer.Send(layer, new LayerInternal.Hold(sealer));
        sealer.ExpectMsg<LayerInternal.Held>();
        sealer.Send(layer, new LayerInternal.Unhold(LayerKind.Sealed));
        Acquire(layer, One, "two", readOnly: true);
        Assert.Equal(2, One.ExpectMsg<LayerProtocol.Acquired>().Leases);
        Parent.ExpectMsg<MountChange>();
        Sys.Stop(sealer.Ref);
        Assert.Equal(["two"], Parent.ExpectMsg<MountChange>().Leases.Select(static lease => lease.Lease.Value));
    }
}
