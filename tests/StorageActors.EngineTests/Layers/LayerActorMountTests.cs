using Akka.Actor;
using StorageActors.Drivers;
using StorageActors.DriverOperations;
using StorageActors.Layers;
using StorageActors.Protocol;
using Xunit;

namespace StorageActors.EngineTests.Layers;

public sealed class LayerActorMountTests : LayerActorTest
{
    [Fact]
    public void The_first_lease_mounts_and_is_answered_when_the_mount_is_there()
    {
        Sys.EventStream.Subscribe(Two.Ref, typeof(LayerProtocol.IEvent));
        var layer = StartUnmounted();
        One.Send(layer, new LayerProtocol.Acquire(Layer, LeaseId.Parse("one"), new MountOptions(Options: ["nodev"])));
        var perform = Expect<MountLayer>();
        var request = ((MountLayer)perform.Operation).Request;
        Assert.Equal((Setup.Location, MountMode.ReadWrite), (request.Layer, request.Mode));
        Assert.Equal(["nodev"], request.Options);
        Assert.Equal(Setup.Parents, request.Parents);
        Assert.False(One.HasMessages);
        Operations.Reply(new DriverProtocol.Completed<ActiveMount>(perform.Attempt, ReadWrite));
        One.ExpectMsg(new LayerProtocol.Acquired(Layer, LeaseId.Parse("one"), ReadWrite.Path, MountMode.ReadWrite, 1));
        Assert.True(View.IsMounted(Layer)); // Who has the answer finds the mount in every list.
        Two.ExpectMsg(new LayerProtocol.LayerMounted(Layer, ReadWrite.Path));
        var mount = Parent.ExpectMsg<MountChange>().Mount!;
        Assert.Equal(("one", "external"), (mount.Leases.Single().Lease.Value, mount.Leases.Single().Owner));
    }

    [Fact]
    public void Those_who_come_while_it_is_mounted_share_the_mount()
    {
        var layer = StartUnmounted();
        Acquire(layer, One, "one");
        var perform = Expect<MountLayer>();
        Acquire(layer, Two, "two");
        Acquire(layer, One, "three", readOnly: true);
        Operations.Reply(new DriverProtocol.Completed<ActiveMount>(perform.Attempt, ReadWrite));
        Assert.Equal(1, One.ExpectMsg<LayerProtocol.Acquired>().Leases);
        Assert.Equal(2, Two.ExpectMsg<LayerProtocol.Acquired>().Leases);
        Assert.Equal(3, One.ExpectMsg<LayerProtocol.Acquired>().Leases);
        Assert.Equal(3, Parent.ExpectMsg<MountChange>().Leases.Count);
    }

    [Fact]
    public void A_failed_mount_refuses_all_who_wait_and_the_next_may_try_again()
    {
        var layer = StartUnmounted();
        Acquire(layer, One, "one");
        Acquire(layer, Two, "two");
        Fail<MountLayer>(StorageErrorCode.Unsupported);
        Assert.Equal(StorageErrorCode.Unsupported, Refusal(One));
        Assert.Equal(StorageErrorCode.Unsupported, Refusal(Two));
        Acquire(layer, Two, "two");
        Answer<MountLayer, ActiveMount>(ReadWrite);
        Two.ExpectMsg<LayerProtocol.Acquired>();
    }

    [Fact]
    public void A_repeat_gets_the_same_answer_and_takes_no_second_lease()
    {
        var layer = StartMounted();
        Acquire(layer, One, "one");
        Assert.Equal(1, One.ExpectMsg<LayerProtocol.Acquired>().Leases);
    }

    [Fact]
    public void Writing_is_refused_while_the_layer_is_mounted_read_only()
    {
        var layer = StartMounted(mode: MountMode.ReadOnly);
        Acquire(layer, Two, "two");
        Assert.Equal(StorageErrorCode.WrongState, Refusal(Two));
    }

    [Fact]
    public void Writing_is_refused_to_who_waits_for_a_mount_that_turns_out_read_only()
    {
        var layer = StartUnmounted();
        Acquire(layer, One, "one", readOnly: true);
        Acquire(layer, Two, "two");
        Answer<MountLayer, ActiveMount>(ReadOnly);
        One.ExpectMsg<LayerProtocol.Acquired>();
        Assert.Equal(StorageErrorCode.WrongState, Refusal(Two));
    }

    [Fact]
    public void A_damaged_layer_is_not_mounted_until_it_is_sound_again()
    {
        Setup = Setup with { Damage = "its directory is gone" };
        var layer = StartUnmounted();
        Acquire(layer, One, "one");
        Assert.Equal(StorageErrorCode.Damaged, Refusal(One));
        One.Send(layer, new LayerInternal.ChangeDamage(null));
        Acquire(layer, One, "one");
        Expect<MountLayer>();
    }

    [Fact]
    public void The_last_release_is_answered_when_the_mount_is_gone()
    {
        var layer = StartMounted();
        Acquire(layer, Two, "two");
        Two.ExpectMsg<LayerProtocol.Acquired>();
        Release(layer, One, "one");
        One.ExpectMsg(new LayerProtocol.Released(Layer, 1));
        Release(layer, Two, "two");
        var perform = Expect<UnmountLayer>();
        Assert.False(((UnmountLayer)perform.Operation).Force);
        Assert.False(Two.HasMessages);
        Operations.Reply(new DriverProtocol.Completed<Nothing>(perform.Attempt, Nothing.Instance));
        Two.ExpectMsg(new LayerProtocol.Released(Layer, 0));
    }

    [Fact]
    public void A_second_release_is_an_error_whether_others_hold_the_layer_or_nobody_does()
    {
        var layer = StartMounted();
        Release(layer, Two, "two");
        Assert.Equal(StorageErrorCode.NotFound, Refusal(Two));
        Release(layer, One, "one");
        AnswerUnmount();
        One.ExpectMsg<LayerProtocol.Released>();
        Release(layer, One, "one");
        Assert.Equal(StorageErrorCode.WrongState, Refusal(One));
    }

    [Fact]
    public void A_busy_mount_is_refused_with_who_keeps_it_so_and_the_lease_stays_for_another_try()
    {
        var layer = StartMounted();
        Release(layer, One, "one");
        Fail<UnmountLayer>(StorageErrorCode.InUse, "it is busy: process 4711 (bash) works in it");
        var error = One.ExpectMsg<StoreProtocol.Refused>().Error;
        Assert.Equal((StorageErrorCode.InUse, "it is busy: process 4711 (bash) works in it"), (error.Code, error.Message));
        Release(layer, One, "one");
        AnswerUnmount();
        One.ExpectMsg(new LayerProtocol.Released(Layer, 0));
    }

    [Fact]
    public void All_leases_end_at_once_and_a_layer_without_any_is_content()
    {
        var layer = StartMounted();
        Acquire(layer, Two, "two");
        Two.ExpectMsg<LayerProtocol.Acquired>();
        One.Send(layer, new LayerProtocol.ReleaseAll(Layer));
        AnswerUnmount();
        One.ExpectMsg(new LayerProtocol.Released(Layer, 0));
        One.Send(layer, new LayerProtocol.ReleaseAll(Layer));
        One.ExpectMsg(new LayerProtocol.Released(Layer, 0));
    }

    [Fact]
    public void Commands_that_come_while_it_is_mounted_are_carried_out_in_their_order()
    {
        var layer = StartUnmounted();
        Acquire(layer, One, "one");
        var perform = Expect<MountLayer>();
        Release(layer, One, "one");
        Acquire(layer, One, "one"); // After the release: it must not be joined to the first and then released.
        Operations.Reply(new DriverProtocol.Completed<ActiveMount>(perform.Attempt, ReadWrite));
        One.ExpectMsg<LayerProtocol.Acquired>();
        AnswerUnmount();
        One.ExpectMsg<LayerProtocol.Released>();
        Answer<MountLayer, ActiveMount>(ReadWrite);
        Assert.Equal(1, One.ExpectMsg<LayerProtocol.Acquired>().Leases);
    }

    [Fact]
    public void Who_comes_while_it_is_unmounted_gets_a_new_mount()
    {
        var layer = StartMounted();
        Release(layer, One, "one");
        var perform = Expect<UnmountLayer>();
        Acquire(layer, Two, "two");
        Operations.Reply(new DriverProtocol.Completed<Nothing>(perform.Attempt, Nothing.Instance));
        One.ExpectMsg<LayerProtocol.Released>();
        Answer<MountLayer, ActiveMount>(ReadWrite);
        Two.ExpectMsg<LayerProtocol.Acquired>();
    }

    [Fact]
    public void An_answer_to_an_attempt_of_long_ago_changes_nothing()
    {
        var layer = StartUnmounted();
        Acquire(layer, One, "one");
        var first = Expect<MountLayer>();
        Operations.Reply(new DriverProtocol.Failed(first.Attempt, new StorageError(StorageErrorCode.Io, "test", "it failed")));
        Refusal(One);
        Acquire(layer, One, "one");
        var second = Expect<MountLayer>();
        Operations.Send(layer, new DriverProtocol.Completed<ActiveMount>(first.Attempt, ReadOnly));
        Operations.Send(layer, new DriverProtocol.Completed<ActiveMount>(second.Attempt, ReadWrite));
        Assert.Equal(MountMode.ReadWrite, One.ExpectMsg<LayerProtocol.Acquired>().Mode);
    }

    [Fact]
    public void A_mount_that_is_busy_when_its_last_holder_dies_is_tried_again_and_serves_whoever_comes()
    {
        var holder = SomeActor();
        var layer = StartMounted(holder);
        Sys.Stop(holder);
        Fail<UnmountLayer>(StorageErrorCode.InUse);
        Fail<UnmountLayer>(StorageErrorCode.InUse); // By itself, after a while.
        var third = Expect<UnmountLayer>();
        Acquire(layer, Two, "two");
        Operations.Reply(new DriverProtocol.Failed(third.Attempt, new StorageError(StorageErrorCode.InUse, "test", "busy")));
        Assert.Equal(1, Two.ExpectMsg<LayerProtocol.Acquired>().Leases);
        Release(layer, Two, "two");
        AnswerUnmount();
        Two.ExpectMsg<LayerProtocol.Released>();
    }

    [Fact]
    public void A_busy_mount_without_holders_can_be_taken_off_by_force()
    {
        var layer = StartLingering();
        Two.Send(layer, new LayerProtocol.Release(Layer, null));
        Assert.False(Fail<UnmountLayer>(StorageErrorCode.InUse).Force);
        Assert.Equal(StorageErrorCode.InUse, Refusal(Two));
        Two.Send(layer, new LayerProtocol.Release(Layer, null, Force: true));
        Assert.True(AnswerUnmount().Force);
        Assert.Equal(0, Two.ExpectMsg<LayerProtocol.Released>().LeasesLeft);
    }

    [Fact]
    public void What_nobody_holds_is_unmounted_on_demand_and_what_somebody_has_taken_meanwhile_is_not()
    {
        var layer = StartLingering();
        Two.Send(layer, new LayerInternal.UnmountUnheld());
        Fail<UnmountLayer>(StorageErrorCode.InUse);
        Assert.Equal(StorageErrorCode.InUse, Refusal(Two));

        Acquire(layer, One, "one");
        One.ExpectMsg<LayerProtocol.Acquired>();
        Two.Send(layer, new LayerInternal.UnmountUnheld());
        Assert.Equal(1, Two.ExpectMsg<LayerProtocol.Released>().LeasesLeft);

        Release(layer, One, "one");
        AnswerUnmount();
        One.ExpectMsg<LayerProtocol.Released>();
        Two.Send(layer, new LayerInternal.UnmountUnheld());
        Assert.Equal(0, Two.ExpectMsg<LayerProtocol.Released>().LeasesLeft);
    }

    [Fact]
    public void A_busy_mount_without_holders_that_does_not_suit_is_refused_and_not_tried_for_ever()
    {
        var holder = SomeActor();
        var layer = StartMounted(holder);
        Sys.Stop(holder);
        var first = Expect<UnmountLayer>();
        Acquire(layer, Two, "two", readOnly: true);
        Operations.Reply(new DriverProtocol.Failed(first.Attempt, new StorageError(StorageErrorCode.InUse, "test", "busy.")));
        Fail<UnmountLayer>(StorageErrorCode.InUse); // To mount it again read-only.
        Assert.Equal(StorageErrorCode.InUse, Refusal(Two));
    }

    [Fact]
    public void Who_came_while_another_mount_was_taken_off_is_served_before_who_comes_while_the_next_is_made()
    {
        var layer = StartLingering();
        Acquire(layer, One, "one", readOnly: true); // The lingering mount does not suit.
        var again = Expect<UnmountLayer>();
        Two.Send(layer, new LayerProtocol.ReleaseAll(Layer));
        Operations.Reply(new DriverProtocol.Completed<Nothing>(again.Attempt, Nothing.Instance));
        var mount = Expect<MountLayer>();
        Acquire(layer, Two, "two", readOnly: true);
        Operations.Send(layer, new DriverProtocol.Completed<ActiveMount>(mount.Attempt, ReadOnly));

        One.ExpectMsg<LayerProtocol.Acquired>();
        AnswerUnmount();
        Two.ExpectMsg<LayerProtocol.Released>();
        Answer<MountLayer, ActiveMount>(ReadOnly);
        Two.ExpectMsg<LayerProtocol.Acquired>();
    }

    [Fact]
    public void What_others_would_have_to_mount_is_described_without_a_lease_in_any_state()
    {
        var layer = Start(); // It does not even know yet whether it is mounted.
        var find = Expect<FindMount>();
        One.Send(layer, new LayerProtocol.Describe(Layer, new MountOptions(ReadOnly: true)));
        var request = Answer<DescribeMount, IReadOnlyList<MountStep>>([new MountStep("overlay", "overlay", ["ro"])]).Request;
        Assert.Equal(MountMode.ReadOnly, request.Mode);
        Assert.Equal("overlay", One.ExpectMsg<LayerProtocol.Described>().Steps.Single().Type);
        Operations.Send(layer, new DriverProtocol.Completed<FoundMount>(find.Attempt, new FoundMount(null)));
        One.Send(layer, new LayerProtocol.Describe(Layer, MountOptions.Default));
        Fail<DescribeMount>(StorageErrorCode.Unsupported);
        Assert.Equal(StorageErrorCode.Unsupported, Refusal(One));
    }

    [Fact]
    public void Who_keeps_a_mount_busy_is_told_on_demand_and_nobody_keeps_what_is_not_mounted()
    {
        var layer = StartUnmounted();
        One.Send(layer, new LayerProtocol.WhyBusy(Layer));
        Assert.Empty(One.ExpectMsg<LayerProtocol.Holders>().Lines);
        Acquire(layer, One, "one");
        Answer<MountLayer, ActiveMount>(ReadWrite);
        One.ExpectMsg<LayerProtocol.Acquired>();
        One.Send(layer, new LayerProtocol.WhyBusy(Layer));
        Assert.Equal(ReadWrite.Path, Answer<FindHolders, IReadOnlyList<string>>(["1 init: root directory"]).MountPath);
        Assert.Equal(["1 init: root directory"], One.ExpectMsg<LayerProtocol.Holders>().Lines);
        One.Send(layer, new LayerProtocol.WhyBusy(Layer));
        Fail<FindHolders>(StorageErrorCode.Io);
        Assert.Equal(StorageErrorCode.Io, Refusal(One)); // Not being able to look is not the same as seeing nobody.
    }

    [Fact]
    public void A_layer_does_not_stop_while_it_owes_an_answer()
    {
        var layer = StartUnmounted();
        Watch(layer);
        One.Send(layer, new LayerProtocol.Describe(Layer, MountOptions.Default));
        var describe = Expect<DescribeMount>();
        Parent.Send(layer, new LayerInternal.StopIdle());
        Parent.ExpectMsg<LayerInternal.StillBusy>();
        Operations.Send(layer, new DriverProtocol.Completed<IReadOnlyList<MountStep>>(describe.Attempt, [new MountStep("bind", "x", [])]));
        One.ExpectMsg<LayerProtocol.Described>();
        Parent.Send(layer, new LayerInternal.StopIdle());
        ExpectTerminated(layer);
    }

    /// <summary>An actor whose mount was too busy to go with its last lease, and that does not try again by itself.</summary>
    private IActorRef StartLingering()
    {
        var holder = SomeActor();
        var layer = Start(Environment() with { LingerRetry = TimeSpan.FromHours(1) });
        Answer<FindMount, FoundMount>(new FoundMount(null));
        Acquire(layer, One, "lost", holder);
        Answer<MountLayer, ActiveMount>(ReadWrite);
        One.ExpectMsg<LayerProtocol.Acquired>();
        Sys.Stop(holder);
        Fail<UnmountLayer>(StorageErrorCode.InUse);
        return layer;
    }
}
