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
}
