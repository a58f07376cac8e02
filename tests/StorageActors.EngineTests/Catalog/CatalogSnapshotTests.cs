using System.Text;
using StorageActors.Catalog;
using StorageActors.Journal;
using StorageActors.Protocol;
using StorageActors.Records;
using Xunit;

namespace StorageActors.EngineTests.Catalog;

/// <summary>Whatever happens, and whenever a catalog is restored from a snapshot, it answers as plain lists would.</summary>
public sealed class CatalogSnapshotTests
{
    private const int Ids = 60;

    private static readonly Digest[] Contents = [.. Enumerable.Range(0, 6).Select(static number => Digest.Of([(byte)number]))];

    /// <summary>What there is, oldest first.</summary>
    private readonly List<LayerRecord> _model = [];
    private CatalogState _state = CatalogState.Empty;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Answers_are_those_of_plain_lists(int seed)
    {
        var random = new Random(seed);
        for (var step = 0; step < 1200; step++)
        {
            if (random.Next(25) == 0) Restore(random.Next(2) == 0);
            Happen(Next(random));
            AssertSame(random, all: step % 100 == 99);
        }
    }

    [Fact]
    public void A_layer_that_goes_and_comes_again_is_a_new_one()
    {
        foreach (var id in new[] { "one", "two" }) Happen(new CatalogEvent.LayerCommitted(Layer(id, null, ["name"], Contents[0])));
        Restore(packed: true);
        Happen(new CatalogEvent.LayerRemoved(LayerId.Parse("one")));
        Assert.Null(_state.FindLayer(LayerId.Parse("one")));
        Assert.Equal(1, _state.LayerCount);
        Assert.Equal(["two"], _state.FindChain(Contents[0]).Select(static layer => layer.Id.Value));

        Happen(new CatalogEvent.LayerCommitted(Layer("one", "two", [], Contents[0])));
        Assert.Equal(["two", "one"], _state.ListLayers().Select(static layer => layer.Id.Value));
        Assert.Equal(["two", "one"], _state.FindChain(Contents[0]).Select(static layer => layer.Id.Value));
        Assert.Equal(["one"], _state.ChildrenOf(LayerId.Parse("two")).Select(static layer => layer.Value));
    }

    [Fact]
    public void A_state_that_somebody_kept_stays_as_it_was()
    {
        foreach (var id in new[] { "one", "two" }) Happen(new CatalogEvent.LayerCommitted(Layer(id, null, [id], Contents[0])));
        Restore(packed: true);
        var kept = _state;
        Happen(new CatalogEvent.LayerRemoved(LayerId.Parse("one")));
        Happen(new CatalogEvent.LayerNamed(LayerId.Parse("two"), ["other"]));

        Assert.Equal(["one", "two"], kept.ListLayers().Select(static layer => layer.Id.Value));
        Assert.Equal("two", kept.FindLayerName("two")?.Value);
        Assert.Null(_state.FindLayerName("two"));
        Assert.Equal(2, kept.FindChain(Contents[0]).Count);
    }

    private static IEnumerable<T> Sorted<T>(IEnumerable<T> ids)
        where T : struct => ids.OrderBy(static id => id.ToString(), StringComparer.Ordinal);

    private static LayerRecord Layer(string id, string? parent, IReadOnlyList<string> names, Digest? chain) => new(
        LayerId.Parse(id), parent is null ? null : LayerId.Parse(parent), LayerKind.Sealed, names, new Dictionary<string, string>(StringComparer.Ordinal), DateTimeOffset.UnixEpoch, chain, chain);

    /// <summary>As a store does it: new layers on those that are there; what has children stays; a name is one layer's.</summary>
    private IJournalEvent Next(Random random)
    {
        var fresh = $"layer-{random.Next(Ids)}";
        var one = _model.Count == 0 ? null : _model[random.Next(_model.Count)];
        var chain = random.Next(3) == 0 ? (Digest?)null : Contents[random.Next(Contents.Length)];
        if (one is null || (random.Next(3) > 0 && _model.All(layer => layer.Id.Value != fresh)))
        {
            if (_model.Any(layer => layer.Id.Value == fresh)) return new CatalogEvent.LayerHealed(LayerId.Parse(fresh));
            return new CatalogEvent.LayerCommitted(Layer(fresh, random.Next(3) == 0 ? null : one?.Id.Value, FreeNames(random), chain));
        }

        return random.Next(6) switch
        {
            0 => new CatalogEvent.LayerNamed(one.Id, FreeNames(random)),
            1 => new CatalogEvent.LayerDamaged(one.Id, "damage"),
            2 => new CatalogEvent.LayerHealed(one.Id),
            3 => new CatalogEvent.LayerSealed(one with { Size = random.Next() }),
            _ => _model.Exists(layer => layer.Parent == one.Id) ? new CatalogEvent.LayerHealed(one.Id) : new CatalogEvent.LayerRemoved(one.Id),
        };
    }

    private List<string> FreeNames(Random random) =>
        [.. Enumerable.Range(0, 12).Select(static number => $"name-{number}").Where(name => random.Next(6) == 0 && _model.All(layer => !layer.Names.Contains(name)))];

    private void Happen(IJournalEvent happened)
    {
        _state = _state.Apply(happened);
        switch (happened)
        {
            case CatalogEvent.LayerCommitted committed: _model.Add(committed.Layer); break;
            case CatalogEvent.LayerRemoved removed: _model.RemoveAll(layer => layer.Id == removed.Layer); break;
            case CatalogEvent.LayerSealed @sealed: Change(@sealed.Layer.Id, _ => @sealed.Layer); break;
            case CatalogEvent.LayerNamed named: Change(named.Layer, layer => layer with { Names = named.Names }); break;
            case CatalogEvent.LayerDamaged damaged: Change(damaged.Layer, layer => layer with { Damage = damaged.Reason }); break;
            case CatalogEvent.LayerHealed healed: Change(healed.Layer, static layer => layer with { Damage = null }); break;
            default: break;
        }
    }

    private void Change(LayerId id, Func<LayerRecord, LayerRecord> change)
    {
        var at = _model.FindIndex(layer => layer.Id == id);
        if (at >= 0) _model[at] = change(_model[at]);
    }

    private void Restore(bool packed)
    {
        var snapshot = _state.ToSnapshot();
        _state = CatalogState.Empty.Apply(packed ? PackedSnapshot.Read(PackedSnapshot.Write(snapshot)) : snapshot);
    }

    private void AssertSame(Random random, bool all)
    {
        Assert.Equal(_model.Count, _state.LayerCount);
        for (var number = 0; number < Ids; number++)
        {
            if (!all && random.Next(10) > 0) continue;
            var id = LayerId.Parse($"layer-{number}");
            var expected = _model.Find(layer => layer.Id == id);
            Assert.Equivalent(expected, _state.FindOwn(id), strict: true);
            Assert.Equal(Sorted(_model.Where(layer => layer.Parent == id).Select(static layer => layer.Id)), Sorted(_state.ChildrenOf(id)));
            Assert.Equal(expected is not null, _state.Resolve(id.Value).Value?.Layer?.Id == id); // It may be a part of another.
        }

        // A part of an id, which is no id itself, names the one that it fits.
        foreach (var prefix in new[] { "laye", "layer-", "layer-0" })
        {
            var fits = _model.Where(layer => layer.Id.Value.StartsWith(prefix, StringComparison.Ordinal)).ToList();
            Assert.Equal(fits.Count == 1 || fits.Exists(layer => layer.Id.Value == prefix), !_state.Resolve(prefix).IsRefused(out _, out _));
        }

        foreach (var name in Enumerable.Range(0, 12).Select(static number => $"name-{number}"))
            Assert.Equal(_model.Find(layer => layer.Names.Contains(name))?.Id, _state.FindLayerName(name));
        foreach (var chain in Contents)
            Assert.Equal(Sorted(_model.Where(layer => layer.ChainId == chain).Select(static layer => layer.Id)), Sorted(_state.FindChain(chain).Select(static layer => layer.Id)));
        Assert.Equal(_model.Select(static layer => layer.Id.Value).Order(StringComparer.Ordinal), _state.LayerIds().Order(StringComparer.Ordinal));
        Assert.Equal(_model.Aggregate(NameSum.None, static (sum, layer) => sum.With(Encoding.UTF8.GetBytes(layer.Id.Value))), _state.SumOfLayerIds());
        Assert.Equal(Sorted(_model.Where(static layer => layer.Damage is not null).Select(static layer => layer.Id)), Sorted(_state.DamagedLayers().Select(static layer => layer.Id)));
        if (all) Assert.Equal(_model.Select(static layer => layer.Id), _state.ListLayers().Select(static layer => layer.Id));
    }
}
