using Akka.Actor;
using StorageActors.Drivers;
using StorageActors.DriverOperations;
using StorageActors.Layers;
using StorageActors.Protocol;
using Xunit;

namespace StorageActors.EngineTests.Layers;

/// <summary>Who holds leases, and what his death ends.</summary>
public sealed class LayerActorHolderTests : LayerActorTest
{
    [Fact]
    public void A_holders_death_ends_its_leases_and_the_last_one_unmounts()
    {
        var holder = SomeActor();
        var layer = StartMounted(holder);
        Acquire(layer, One, "second", holder);
        Assert.Equal(2, One.ExpectMsg<LayerProtocol.Acquired>().Leases);
        Parent.ExpectMsg<MountChange>();
        Sys.Stop(holder);
        Assert.Empty(Parent.ExpectMsg<MountChange>().Leases);
        AnswerUnmount();
        Assert.Null(Parent.ExpectMsg<MountChange>().Mount);
    }

    [Fact]
    public void A_holder_that_is_dead_already_gets_no_lasting_lease()
    {
        var holder = SomeActor();
        Watch(holder);
        Sys.Stop(holder);
        ExpectTerminated(holder);
        StartMounted(holder);
        Assert.Empty(Parent.ExpectMsg<MountChange>().Leases);
        AnswerUnmount();
    }

    [Fact]
    public void A_holder_that_died_while_it_held_nothing_gets_no_lasting_lease_either()
    {
        var holder = SomeActor();
        var layer = StartMounted(holder);
        Release(layer, One, "one");
        AnswerUnmount();
        One.ExpectMsg<LayerProtocol.Released>();
        Parent.ExpectMsg<MountChange>();
        Watch(holder);
        Sys.Stop(holder);
        ExpectTerminated(holder);
        Acquire(layer, One, "two", holder);
        Answer<MountLayer, ActiveMount>(ReadWrite);
        One.ExpectMsg<LayerProtocol.Acquired>();
        Parent.ExpectMsg<MountChange>();
        Assert.Empty(Parent.ExpectMsg<MountChange>().Leases);
        AnswerUnmount();
    }

    [Fact]
    public void Of_many_holders_each_ones_death_ends_his_leases()
    {
        var layer = StartMounted();
        var holders = Enumerable.Range(0, 20).Select(_ => SomeActor()).ToList();
        foreach (var round in (string[])["a", "b"])
        {
            // All but the last round's are given back, so that most are no longer watched when they come again.
            for (var i = 0; i < holders.Count; i++)
            {
                Acquire(layer, One, round + i, holders[i]);
                One.ExpectMsg<LayerProtocol.Acquired>();
                Parent.ExpectMsg<MountChange>();
            }

            if (round == "b") break;
            for (var i = 0; i < holders.Count; i++)
            {
                Release(layer, One, round + i);
                One.ExpectMsg<LayerProtocol.Released>();
                Parent.ExpectMsg<MountChange>();
            }
        }

        foreach (var holder in holders) Sys.Stop(holder);
        var left = holders.ConvertAll(_ => Parent.ExpectMsg<MountChange>().Leases.Count);
        Assert.Equal(1, left[^1]); // The external one.
    }

    [Fact]
    public void A_repeat_by_another_holder_hands_the_lease_over_to_it()
    {
        var (first, second) = (SomeActor(), SomeActor());
        var layer = StartMounted(first);
        Acquire(layer, Two, "one", second);
        Assert.Equal(1, Two.ExpectMsg<LayerProtocol.Acquired>().Leases);
        Parent.ExpectMsg<MountChange>();
        Sys.Stop(first);
        Sys.Stop(second);
        Assert.Empty(Parent.ExpectMsg<MountChange>().Leases); // Of the second's death: the first's means nothing.
        AnswerUnmount();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_holder_that_dies_while_the_layer_is_being_mounted_gets_no_lasting_lease(bool wasThereBefore)
    {
        var holder = SomeActor();
        var layer = wasThereBefore ? StartMounted(holder) : StartUnmounted();
        if (wasThereBefore)
        {
            Release(layer, One, "one");
            AnswerUnmount();
            One.ExpectMsg<LayerProtocol.Released>();
            Parent.ExpectMsg<MountChange>();
        }

        Acquire(layer, Two, "his", holder);
        var mounting = Expect<MountLayer>();
        Kill(layer, holder);
        Operations.Send(layer, new DriverProtocol.Completed<ActiveMount>(mounting.Attempt, ReadWrite));
        Two.ExpectMsg<LayerProtocol.Acquired>();
        Assert.Single(Parent.ExpectMsg<MountChange>().Leases);
        Assert.Empty(Parent.ExpectMsg<MountChange>().Leases);
        AnswerUnmount();
    }

    [Fact]
    public void A_lease_ends_whose_holder_dies_during_an_unmount_that_fails()
    {
        var holder = SomeActor();
        var layer = StartMounted(holder);
        One.Send(layer, new LayerProtocol.ReleaseAll(Layer));
        var unmounting = Expect<UnmountLayer>();
        Kill(layer, holder);
        Operations.Send(layer, new DriverProtocol.Failed(unmounting.Attempt, new StorageError(StorageErrorCode.InUse, "test", "busy")));
        Assert.Equal(StorageErrorCode.InUse, Refusal(One));
        Assert.Empty(Parent.ExpectMsg<MountChange>().Leases);
        AnswerUnmount();
    }

    [Fact]
    public void A_lease_ends_whose_holder_dies_while_the_layer_is_out_of_service()
    {
        var holder = SomeActor();
        var layer = StartMounted(holder, MountMode.ReadOnly);
        One.Send(layer, new LayerInternal.Hold(SomeActor()));
        One.ExpectMsg<LayerInternal.Held>();
        Kill(layer, holder);
        One.Send(layer, new LayerInternal.Unhold(LayerKind.Writable));
        Assert.Empty(Parent.ExpectMsg<MountChange>().Leases);
        AnswerUnmount();
    }

    [Fact]
    public void The_death_of_somebody_who_holds_nothing_any_more_changes_nothing()
    {
        var (first, second) = (SomeActor(), SomeActor());
        var layer = StartMounted(first);
        Acquire(layer, One, "two", second);
        One.ExpectMsg<LayerProtocol.Acquired>();
        Release(layer, One, "one");
        One.ExpectMsg<LayerProtocol.Released>();
        Kill(layer, first);
        Acquire(layer, One, "three", second);
        Assert.Equal(2, One.ExpectMsg<LayerProtocol.Acquired>().Leases);
    }

    /// <summary>Until the layer has dealt with the death, or put it aside; not for a layer that is not mounted.</summary>
    private void Kill(IActorRef layer, IActorRef holder)
    {
        Watch(holder);
        Sys.Stop(holder);
        ExpectTerminated(holder); // The layer was told before: it has watched for longer.
        for (var i = 0; i < 2; i++)
        {
            // What it then tells itself lies behind the first of these, perhaps, but not behind the second.
            Two.Send(layer, new LayerInternal.StopIdle());
            Parent.FishForMessage(static message => message is LayerInternal.StillBusy);
        }
    }
}
