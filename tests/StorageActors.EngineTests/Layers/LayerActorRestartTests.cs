using Akka.Actor;
using StorageActors.Drivers;
using StorageActors.DriverOperations;
using StorageActors.Journal;
using StorageActors.Layers;
using StorageActors.Protocol;
using Xunit;

namespace StorageActors.EngineTests.Layers;

public sealed class LayerActorRestartTests : LayerActorTest
{
    [Fact]
    public void A_lease_of_a_command_survives_a_restart_of_the_engine_and_that_of_an_actor_does_not()
    {
        var layer = StartMounted(holder: null);
        Acquire(layer, One, "actor", SomeActor());
        One.ExpectMsg<LayerProtocol.Acquired>();
        End(layer);
        Start(Environment(run: "next"));
        Answer<FindMount, FoundMount>(new FoundMount(ReadWrite));
        Assert.Equal(["one"], Leases());
    }

    [Fact]
    public void A_living_actors_lease_survives_a_restart_of_the_layers_actor_and_is_watched_again()
    {
        var holder = SomeActor();
        var layer = StartUnmounted();
        Acquire(layer, One, "one", holder);
        Answer<MountLayer, ActiveMount>(ReadWrite);
        One.ExpectMsg<LayerProtocol.Acquired>();
        var remembered = Parent.ExpectMsg<MountChange>().Leases;
        End(layer);
        Start(remembered: remembered);
        Answer<FindMount, FoundMount>(new FoundMount(ReadWrite));
        Assert.Equal(["one"], Leases());
        Sys.Stop(holder);
        Assert.Empty(Leases());
        AnswerUnmount();
    }

    [Fact]
    public void A_lease_that_an_actor_holds_is_not_in_the_journal()
    {
        End(StartMounted(SomeActor()));
        Start();
        Answer<FindMount, FoundMount>(new FoundMount(ReadWrite));
        Assert.Empty(Leases());
        Expect<UnmountLayer>();
    }

    [Fact]
    public void A_lease_of_a_command_that_an_actor_takes_over_ends_with_the_engine()
    {
        var layer = StartMounted(holder: null);
        Acquire(layer, One, "one", SomeActor());
        One.ExpectMsg<LayerProtocol.Acquired>();
        End(layer);
        Start(Environment(run: "next"));
        Answer<FindMount, FoundMount>(new FoundMount(ReadWrite));
        Assert.Empty(Leases());
        Expect<UnmountLayer>();
    }

    [Fact]
    public void A_lease_that_an_actor_hands_to_a_command_outlives_the_engine()
    {
        var layer = StartMounted(SomeActor());
        Acquire(layer, One, "one");
        One.ExpectMsg<LayerProtocol.Acquired>();
        End(layer);
        Start(Environment(run: "next"));
        Answer<FindMount, FoundMount>(new FoundMount(ReadWrite));
        Assert.Equal(["one"], Leases());
    }

    [Fact]
    public void No_lease_survives_a_reboot()
    {
        End(StartMounted());
        var layer = Start(Environment(bootId: "next", run: "next"));
        Answer<FindMount, FoundMount>(new FoundMount(null));
        Release(layer, One, "one");
        Assert.Equal(StorageErrorCode.WrongState, Refusal(One));
    }

    [Fact]
    public void A_mount_that_nobody_holds_is_unmounted_before_anything_is_served()
    {
        var layer = Start();
        Acquire(layer, One, "one");
        Answer<FindMount, FoundMount>(new FoundMount(ReadWrite));
        Assert.False(AnswerUnmount().Force);
        Answer<MountLayer, ActiveMount>(ReadWrite);
        One.ExpectMsg<LayerProtocol.Acquired>();
    }

    [Fact]
    public void Leases_whose_mount_is_gone_get_it_back_with_its_options()
    {
        var layer = StartUnmounted();
        One.Send(layer, new LayerProtocol.Acquire(Layer, LeaseId.Parse("one"), new MountOptions(ReadOnly: true, ["nodev"])));
        Answer<MountLayer, ActiveMount>(ReadOnly);
        One.ExpectMsg<LayerProtocol.Acquired>();
        Parent.ExpectMsg<MountChange>();
        End(layer);
        Start();
        Answer<FindMount, FoundMount>(new FoundMount(null));
        var request = Answer<MountLayer, ActiveMount>(ReadOnly).Request;
        Assert.Equal(MountMode.ReadOnly, request.Mode);
        Assert.Equal(["nodev"], request.Options);
        Assert.Equal(["one"], Leases());
    }

    [Fact]
    public void Leases_whose_mount_cannot_be_made_again_end()
    {
        End(StartMounted());
        var layer = Start();
        Answer<FindMount, FoundMount>(new FoundMount(null));
        Fail<MountLayer>(StorageErrorCode.Io);
        Assert.Null(Parent.ExpectMsg<MountChange>().Mount);
        Release(layer, One, "one");
        Assert.Equal(StorageErrorCode.WrongState, Refusal(One));
    }

    [Fact]
    public void A_mount_that_cannot_be_looked_for_is_taken_over_by_mounting()
    {
        End(StartMounted());
        Start();
        Fail<FindMount>(StorageErrorCode.Io);
        Answer<MountLayer, ActiveMount>(ReadWrite);
        Assert.Equal(["one"], Leases());
    }

    [Fact]
    public void Another_layer_with_the_same_id_inherits_no_lease()
    {
        End(StartMounted());
        Setup = Setup with { Created = Setup.Created.AddTicks(1) };
        Start();
        Answer<FindMount, FoundMount>(new FoundMount(ReadWrite));
        Expect<UnmountLayer>();
    }

    [Fact]
    public void Leases_that_the_parent_remembers_stand_in_for_a_journal_that_failed_and_reach_it_with_the_next_change()
    {
        End(StartMounted());
        var remembered = new LeaseEvent.Granted(LeaseId.Parse("unwritten"), "external", default, "boot", "run", MountMode.ReadWrite);
        var layer = Start(remembered: [remembered]);
        Answer<FindMount, FoundMount>(new FoundMount(ReadWrite));
        Assert.Equal(["unwritten"], Leases());
        Acquire(layer, One, "next");
        One.ExpectMsg<LayerProtocol.Acquired>();
        Assert.Equal(["unwritten", "next"], Leases());
        End(layer);
        Start();
        Answer<FindMount, FoundMount>(new FoundMount(ReadWrite));
        Assert.Equal(["unwritten", "next"], Leases());
    }

    [Fact]
    public void Many_changes_are_summed_up_and_read_back_the_same()
    {
        var layer = StartMounted();
        for (var number = 0; number < 450; number++)
        {
            Acquire(layer, One, $"l{number}");
            One.ExpectMsg<LayerProtocol.Acquired>();
            Parent.ExpectMsg<MountChange>();
            if (number % 3 == 0) continue;
            Release(layer, One, $"l{number}");
            One.ExpectMsg<LayerProtocol.Released>();
            Parent.ExpectMsg<MountChange>();
        }

        End(layer);
        Start();
        Answer<FindMount, FoundMount>(new FoundMount(ReadWrite));
        Assert.Equal(Enumerable.Range(0, 150).Select(static number => $"l{number * 3}").Prepend("one"), Leases());
    }

    [Fact]
    public void Waking_is_answered_when_what_was_left_is_settled()
    {
        var layer = Start();
        One.Send(layer, new LayerInternal.Wake());
        Answer<FindMount, FoundMount>(new FoundMount(ReadWrite));
        AnswerUnmount();
        Assert.Null(One.ExpectMsg<LayerInternal.Awake>().Mount);
    }

    private IEnumerable<string> Leases() => Parent.ExpectMsg<MountChange>().Leases.Select(static lease => lease.Lease.Value);
}
