using StorageActors.Journal;
using StorageActors.Layers;
using StorageActors.Protocol;
using Xunit;

namespace StorageActors.EngineTests.Layers;

public sealed class LeaseTermTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UnixEpoch.AddDays(20_000);

    [Fact]
    public void A_lease_of_a_process_is_over_when_another_process_has_its_number()
    {
        var lease = Granted(LeaseOwner.Process(12, 500).Value);
        Assert.Null(lease.WhyOver(Now, static _ => 500));
        Assert.NotNull(lease.WhyOver(Now, static _ => 501));
        Assert.NotNull(lease.WhyOver(Now, static _ => null));
    }

    [Fact]
    public void A_lease_with_a_term_is_over_at_its_end()
    {
        var lease = Granted(LeaseEvent.ExternalOwner) with { Until = Now };
        Assert.Null(lease.WhyOver(Now.AddTicks(-1), static _ => null));
        Assert.NotNull(lease.WhyOver(Now, static _ => null));
    }

    [Theory]
    [InlineData(LeaseEvent.ExternalOwner)]
    [InlineData("container-42")]
    [InlineData("akka://storage-actors/user/holder#12")]
    public void Other_leases_do_not_end_by_themselves(string owner)
    {
        Assert.False(Granted(owner).IsWatched);
        Assert.Null(Granted(owner).WhyOver(Now.AddYears(100), static _ => null));
    }

    [Theory]
    [InlineData("container-42", false)]
    [InlineData("process:12:500", false)]
    [InlineData("akka://storage-actors/user/holder#12", true)]
    public void After_a_restart_of_the_engine_only_what_actors_held_is_void(string owner, bool isVoid)
    {
        var state = new LayerState(LayerId.Parse("layer"), LayerKind.Writable, null).Apply(Granted(owner));
        Assert.Equal(isVoid, state.Void("boot", "another run").Any());
        Assert.True(state.Void("another boot", "run").Any());
    }

    [Theory]
    [InlineData("")]
    [InlineData("two words")]
    [InlineData("external")]
    [InlineData("akka://system/user/actor")]
    [InlineData("process:12")]
    [InlineData("process:0:1")]
    [InlineData("process:x:1")]
    public void Some_words_name_no_owner(string text) => Assert.Throws<FormatException>(() => LeaseOwner.Parse(text));

    private static LeaseEvent.Granted Granted(string owner) => new(LeaseId.Parse("lease"), owner, Now, "boot", "run", MountMode.ReadWrite);
}
