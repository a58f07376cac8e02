using StorageActors.Drivers;
using StorageActors.Journal;
using StorageActors.Layers;
using StorageActors.Protocol;
using Xunit;

namespace StorageActors.EngineTests.Layers;

public sealed class LayerStateTests
{
    private static readonly LayerId Layer = LayerId.Parse("some-layer");
    private static readonly LayerState Writable = new(Layer, LayerKind.Writable, null);
    private static readonly ActiveMount ReadWrite = new("/m", MountMode.ReadWrite);
    private static readonly ActiveMount ReadOnly = new("/m", MountMode.ReadOnly);

    [Fact]
    public void A_sealed_layer_is_mounted_read_only_however_it_is_asked_for()
    {
        var layer = new LayerState(Layer, LayerKind.Sealed, null);
        Assert.Equal(MountMode.ReadOnly, layer.ModeFor(MountOptions.Default));
        Assert.Equal(MountMode.ReadWrite, Writable.ModeFor(MountOptions.Default));
        Assert.Equal(MountMode.ReadOnly, Writable.ModeFor(new MountOptions(ReadOnly: true)));
    }

    [Fact]
    public void Writing_is_refused_while_somebody_holds_a_read_only_mount()
    {
        var state = Held(ReadOnly, "a");
        var refusal = Assert.IsType<AcquireDecision.Refuse>(state.Decide(Acquire("b")));
        Assert.Equal(StorageErrorCode.WrongState, refusal.Error.Code);
        Assert.IsType<AcquireDecision.Grant>(state.Decide(Acquire("b", readOnly: true)));
        Assert.IsType<AcquireDecision.Grant>(Held(ReadWrite, "a").Decide(Acquire("b", readOnly: true)));
    }

    [Fact]
    public void A_repeat_is_granted_even_when_the_layer_has_been_found_damaged()
    {
        var state = Held(ReadWrite, "a") with { Damage = "rotten" };
        Assert.IsType<AcquireDecision.Grant>(state.Decide(Acquire("a")));
        Assert.Equal(StorageErrorCode.Damaged, Assert.IsType<AcquireDecision.Refuse>(state.Decide(Acquire("b"))).Error.Code);
    }

    [Fact]
    public void A_mount_that_nobody_holds_is_used_again_as_it_is_or_made_again_in_another_manner()
    {
        var lingering = Writable.Mounted(ReadWrite, ["nodev"]);
        Assert.True(lingering.IsLingering);
        Assert.IsType<AcquireDecision.Grant>(lingering.Decide(Acquire("a", options: ["nodev"])));
        Assert.IsType<AcquireDecision.Remount>(lingering.Decide(Acquire("a")));
        Assert.IsType<AcquireDecision.Remount>(lingering.Decide(Acquire("a", readOnly: true, options: ["nodev"])));
    }

    [Fact]
    public void A_mount_shows_one_map_of_ids_and_is_made_again_with_another_when_nobody_holds_it()
    {
        var (own, other) = (IdMap.OfContainer([new IdRange(0, 1000, 5)], []), IdMap.OfContainer([new IdRange(0, 2000, 5)], []));
        var layer = Writable with { OwnIds = own };
        Assert.Equal([own, other, IdMap.Host], new[] { null, other, IdMap.Host }.Select(ids => layer.IdsFor(new MountOptions(Ids: ids))));
        var lingering = layer.Mounted(ReadOnly with { Ids = own }, null);
        Assert.IsType<AcquireDecision.Grant>(lingering.Decide(Acquire("a", readOnly: true)));
        Assert.IsType<AcquireDecision.Remount>(lingering.Decide(new LayerProtocol.Acquire(Layer, Lease("a"), new MountOptions(ReadOnly: true, Ids: other))));
        var held = lingering.Apply(new LeaseEvent.Granted(Lease("a"), "external", default, "boot", "run", MountMode.ReadOnly));
        var refusal = Assert.IsType<AcquireDecision.Refuse>(held.Decide(new LayerProtocol.Acquire(Layer, Lease("b"), new MountOptions(ReadOnly: true, Ids: IdMap.Host))));
        Assert.Equal(StorageErrorCode.WrongState, refusal.Error.Code);
        Assert.IsType<AcquireDecision.Grant>(held.Decide(new LayerProtocol.Acquire(Layer, Lease("b"), new MountOptions(ReadOnly: true, Ids: own))));
        Assert.Equal((own, null), (held.Record!.Ids, held.OtherIds));
        Assert.Equal(other, layer.Mounted(ReadOnly with { Ids = other }, null).OtherIds);
    }

    [Fact]
    public void A_release_without_a_name_ends_the_only_lease_and_is_ambiguous_with_two()
    {
        Assert.Equal(new ReleaseDecision.Unmount(Lease("a")), Held(ReadWrite, "a").Decide(new LayerProtocol.Release(Layer, null)));
        var refusal = Assert.IsType<ReleaseDecision.Refuse>(Held(ReadWrite, "a", "b").Decide(new LayerProtocol.Release(Layer, null)));
        Assert.Equal(StorageErrorCode.InvalidArgument, refusal.Error.Code);
        Assert.Contains("a, b", refusal.Error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_second_release_is_not_found_and_one_of_an_unmounted_layer_is_in_the_wrong_state()
    {
        Assert.Equal(StorageErrorCode.NotFound, Refusal(Held(ReadWrite, "a"), "b").Code);
        Assert.Equal(StorageErrorCode.WrongState, Refusal(Writable, "b").Code);
    }

    [Fact]
    public void Leases_of_another_boot_are_void_and_those_of_actors_of_another_run()
    {
        LeaseEvent.Granted Granted(string name, string owner, string boot, string run) => new(Lease(name), owner, default, boot, run, MountMode.ReadWrite);
        var state = Writable.Apply(new LeaseEvent.Snapshot(
        [
            Granted("kept", "external", "boot", "old"), Granted("rebooted", "external", "before", "old"),
            Granted("living", "akka://a", "boot", "run"), Granted("orphan", "akka://a", "boot", "old"),
        ]));
        Assert.Equal(["rebooted", "orphan"], state.Void("boot", "run").Select(static lease => lease.Lease.Value));
    }

    [Fact]
    public void Only_a_few_of_many_holders_are_named()
    {
        var state = Held(ReadWrite, [.. Enumerable.Range(0, 50).Select(static number => $"l{number}")]);
        Assert.Equal("l0, l1, l2, l3, l4 and 45 more", state.Names());
    }

    /// <summary>Random commands against a model that is a set of names and a flag.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Any_sequence_of_commands_leaves_what_a_set_of_names_would_hold(int seed)
    {
        var random = new Random(seed);
        var state = Writable;
        var model = new List<string>();
        for (var step = 0; step < 5000; step++)
        {
            var name = $"l{random.Next(6)}";
            state = random.Next(2) == 0 ? Acquire(state, name, model) : Release(state, random.Next(4) == 0 ? null : name, model);
            Assert.Equal(model, state.Leases.Select(static lease => lease.Lease.Value));
            Assert.Equal(model.Count > 0, state.Mount is not null);
            Assert.Equal(model.Count, state.Record?.Leases.Count ?? 0);
            Assert.False(state.IsLingering);
        }
    }

    private static LayerState Acquire(LayerState state, string name, List<string> model)
    {
        switch (state.Decide(Acquire(name)))
        {
            case AcquireDecision.Mount:
                Assert.Empty(model);
                state = state.Mounted(ReadWrite, null);
                break;
            case AcquireDecision.Grant:
                Assert.NotEmpty(model);
                break;
            default:
                Assert.Fail("neither refused nor mounted again");
                break;
        }

        if (model.Contains(name)) return state;
        model.Add(name);
        return state.Apply(Granted(name, MountMode.ReadWrite));
    }

    private static LayerState Release(LayerState state, string? name, List<string> model)
    {
        var named = name ?? (model.Count == 1 ? model[0] : null);
        var decision = state.Decide(new LayerProtocol.Release(Layer, name is null ? null : Lease(name)));
        switch (decision)
        {
            case ReleaseDecision.Refuse refusal:
                Assert.Equal(
                    model.Count == 0 ? StorageErrorCode.WrongState : name is null ? StorageErrorCode.InvalidArgument : StorageErrorCode.NotFound, refusal.Error.Code);
                Assert.True(named is null || !model.Contains(named));
                return state;
            case ReleaseDecision.Unmount last:
                Assert.Equal([last.Lease.Value], model);
                model.Clear();
                return state.Unmounted();
            default:
                var ended = ((ReleaseDecision.End)decision).Lease.Value;
                Assert.Equal(name, ended);
                Assert.True(model.Remove(ended));
                return state.Apply(new LeaseEvent.Released(Lease(ended)));
        }
    }

    private static LeaseId Lease(string name) => LeaseId.Parse(name);

    private static LeaseEvent.Granted Granted(string name, MountMode mode) => new(Lease(name), "external", default, "boot", "run", mode);

    private static LayerState Held(ActiveMount mount, params string[] leases) =>
        leases.Aggregate(Writable.Mounted(mount, null), (state, name) => state.Apply(Granted(name, mount.Mode)));

    private static LayerProtocol.Acquire Acquire(string name, bool readOnly = false, string[]? options = null) =>
        new(Layer, Lease(name), new MountOptions(readOnly, options));

    private static StorageError Refusal(LayerState state, string name) =>
        Assert.IsType<ReleaseDecision.Refuse>(state.Decide(new LayerProtocol.Release(Layer, Lease(name)))).Error;
}
