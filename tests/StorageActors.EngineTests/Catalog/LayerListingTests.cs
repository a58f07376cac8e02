using StorageActors.Catalog;
using StorageActors.Journal;
using StorageActors.Protocol;
using Xunit;

namespace StorageActors.EngineTests.Catalog;

/// <summary>A list that is made from an earlier one must be the one that is made anew.</summary>
public sealed class LayerListingTests
{
    private readonly CatalogView _view = new();
    private CatalogState _state = CatalogState.Empty;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Lists_follow_whatever_happens(int seed)
    {
        var random = new Random(seed);
        for (var step = 0; step < 1500; step++)
        {
            var known = _state.ListLayers();
            Happen([.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => Next(random, known))]);
            if (random.Next(step % 300 < 150 ? 3 : 90) == 0) AssertSame();
        }

        AssertSame();
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    public void A_list_is_made_from_the_one_before_as_long_as_layers_come_after_their_parents(int seed)
    {
        var random = new Random(seed);
        var listing = LayerListing.Of(_state);
        var changed = new HashSet<LayerId>();
        for (var step = 0; step < 1500; step++)
        {
            var (id, change) = Orderly(random, _state.ListLayers());
            _state = _state.Apply([change]);
            changed.Add(id);
            if (random.Next(6) != 0) continue;

            listing = listing.After(_state, changed);
            changed.Clear();
            Assert.True(listing.IsPlain);
            AssertSame(_state.ListLayers(), listing.Layers);
        }
    }

    [Fact]
    public void A_parent_that_is_adopted_after_its_child_comes_before_it()
    {
        Happen([Committed("other"), Committed("child", "parent"), Committed("last", "child")]);
        AssertSame();
        Happen([Committed("parent")]);
        AssertSame();
        Assert.Equal(["other", "parent", "child", "last"], _view.Layers().Select(static layer => layer.Id.Value));

        Happen([new CatalogEvent.LayerRemoved(LayerId.Parse("other")), Committed("new", "last")]);
        AssertSame();
        Happen([new CatalogEvent.LayerRemoved(LayerId.Parse("last")), new CatalogEvent.LayerRemoved(LayerId.Parse("child"))]);
        AssertSame();
    }

    [Fact]
    public void A_list_that_was_given_out_stays_as_it_was()
    {
        Happen([Committed("one"), Committed("two")]);
        var before = _view.Layers();
        Happen([new CatalogEvent.LayerNamed(LayerId.Parse("one"), ["name"]), new CatalogEvent.LayerRemoved(LayerId.Parse("two"))]);

        Assert.Equal("name", Assert.Single(Assert.Single(_view.Layers()).Names));
        Assert.Equal(["one", "two"], before.Select(static layer => layer.Id.Value));
        Assert.Empty(before[0].Names);
        Assert.Same(_view.Layers(), _view.Layers());
    }

    private static IJournalEvent Next(Random random, IReadOnlyList<LayerRecord> known)
    {
        var id = LayerId.Parse($"layer-{random.Next(60)}");
        var parent = known.Count > 0 && random.Next(2) == 0 ? known[random.Next(known.Count)].Id.Value : null;
        return random.Next(9) switch
        {
            0 => new CatalogEvent.LayerRemoved(id),
            1 => new CatalogEvent.LayerNamed(id, [$"name-{random.Next(5)}"]),
            2 => new CatalogEvent.LayerLabelled(id, new Dictionary<string, string>(StringComparer.Ordinal) { ["a"] = "b" }),
            3 => new CatalogEvent.LayerDamaged(id, "damage"),
            4 => new CatalogEvent.LayerHealed(id),
            5 => new CatalogEvent.LayerDocumented(id, [new BigDataItem("k", 1, Digest.Of([1]))]),
            6 when known.Count > 0 => new CatalogEvent.LayerSealed(known[random.Next(known.Count)] with { Size = random.Next() }),
            // Now and then on a parent that is not there, or comes later.
            7 when random.Next(20) == 0 => Committed(id.Value, $"layer-{60 + random.Next(3)}"),
            8 when random.Next(20) == 0 => Committed($"layer-{60 + random.Next(3)}"),
            _ => Committed(id.Value, parent == id.Value ? null : parent),
        };
    }

    /// <summary>What a store does: new layers on those that are there, and only what nothing stands on goes; its id may come again.</summary>
    private (LayerId Layer, IJournalEvent Event) Orderly(Random random, IReadOnlyList<LayerRecord> known)
    {
        var (fresh, one) = (LayerId.Parse($"layer-{random.Next(80)}"), known.Count > 0 ? known[random.Next(known.Count)] : null);
        if (_state.FindOwn(fresh) is null) return (fresh, Committed(fresh.Value, random.Next(3) == 0 ? null : one?.Id.Value));
        return random.Next(4) switch
        {
            0 => (one!.Id, new CatalogEvent.LayerNamed(one.Id, [$"name-{random.Next(5)}"])),
            1 => (one!.Id, new CatalogEvent.LayerSealed(one with { Size = random.Next() })),
            _ => Removed(known.Where(layer => !_state.ChildrenOf(layer.Id).Any()).ToList()),
        };

        (LayerId, IJournalEvent) Removed(List<LayerRecord> leaves)
        {
            var leaf = leaves[random.Next(leaves.Count)].Id;
            return (leaf, new CatalogEvent.LayerRemoved(leaf));
        }
    }

    private static CatalogEvent.LayerCommitted Committed(string id, string? parent = null) => new(new LayerRecord(
        LayerId.Parse(id), parent is null ? null : LayerId.Parse(parent), LayerKind.Sealed, [], new Dictionary<string, string>(StringComparer.Ordinal),
        DateTimeOffset.UnixEpoch, null, null, null, null, null, null, null, null, null));

    private void Happen(IReadOnlyList<IJournalEvent> events)
    {
        _state = _state.Apply(events);
        _view.Publish(_state, events);
    }

    private void AssertSame() => AssertSame(_state.ListLayers(), _view.Layers());

    private static void AssertSame(IReadOnlyList<LayerRecord> expected, IReadOnlyList<LayerRecord> actual)
    {
        Assert.Equal(expected.Select(static layer => layer.Id), actual.Select(static layer => layer.Id));
        Assert.All(expected.Zip(actual), static pair => Assert.Same(pair.First, pair.Second));
    }
}
