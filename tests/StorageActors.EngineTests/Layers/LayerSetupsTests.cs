using StorageActors.Catalog;
using StorageActors.Journal;
using StorageActors.Layers;
using StorageActors.Protocol;
using StorageActors.Store;
using Xunit;

namespace StorageActors.EngineTests.Layers;

/// <summary>What layers' actors are told is remembered while the catalog stays as it is, and not a moment longer.</summary>
public sealed class LayerSetupsTests
{
    private readonly CatalogView _view = new();
    private readonly StoreLayout _layout = new("/store", "overlay");
    private readonly LayerRecord _base = Layer(null);
    private readonly LayerRecord _middle;
    private readonly LayerRecord _top;
    private readonly LayerSetups _setups;

    public LayerSetupsTests()
    {
        _middle = Layer(_base.Id);
        _top = Layer(_middle.Id);
        _setups = new LayerSetups(_view, _layout);
        Publish(CatalogState.Empty, new CatalogEvent.LayerCommitted(_base), new CatalogEvent.LayerCommitted(_middle), new CatalogEvent.LayerCommitted(_top));
    }

    [Fact]
    public void A_layer_is_told_where_all_below_it_are_nearest_first()
    {
        var setup = _setups.Of(Current(_top));

        Assert.Equal(_layout.Locate(_top.Id), setup.Location);
        Assert.Equal([_layout.Locate(_middle.Id), _layout.Locate(_base.Id)], setup.Parents);
        Assert.Null(setup.Damage);
        Assert.Equal([_layout.Locate(_base.Id)], _setups.Of(Current(_middle)).Parents);
    }

    [Fact]
    public void The_stack_is_gone_down_once_for_a_catalog_that_stays_as_it_is() => Assert.Same(_setups.Of(Current(_top)), _setups.Of(Current(_top)));

    [Fact]
    public void Damage_of_a_layer_below_is_told_as_soon_as_the_catalog_has_it_and_until_it_is_healed()
    {
        var layer = Current(_top);
        Assert.Null(_setups.Of(layer).Damage);

        Publish(_view.Current, new CatalogEvent.LayerDamaged(_base.Id, "it is missing"));
        Assert.Contains("it is missing", _setups.Of(layer).Damage, StringComparison.Ordinal);

        Publish(_view.Current, new CatalogEvent.LayerHealed(_base.Id));
        Assert.Null(_setups.Of(layer).Damage);
    }

    [Fact]
    public void A_sealed_layer_is_told_so()
    {
        Assert.Equal(LayerKind.Writable, _setups.Of(Current(_top)).Kind);

        Publish(_view.Current, new CatalogEvent.LayerSealed(_top with { Kind = LayerKind.Sealed }));

        Assert.Equal(LayerKind.Sealed, _setups.Of(Current(_top)).Kind);
    }

    [Fact]
    public void Each_of_two_records_of_one_id_gets_its_own()
    {
        var earlier = _top with { Parent = _base.Id, Created = _top.Created.AddDays(-1) };

        Assert.Equal([_layout.Locate(_base.Id)], _setups.Of(earlier).Parents);
        Assert.Equal(2, _setups.Of(Current(_top)).Parents.Count);
        Assert.Equal(earlier.Created, _setups.Of(earlier).Created);
    }

    [Fact]
    public void More_layers_than_are_kept_are_all_told_right()
    {
        var many = Enumerable.Range(0, 600).Select(_ => Layer(_middle.Id)).ToList();
        Publish(_view.Current, [.. many.Select(static layer => new CatalogEvent.LayerCommitted(layer))]);

        foreach (var layer in many.Concat(many)) Assert.Equal((layer.Id, 2), (_setups.Of(layer).Id, _setups.Of(layer).Parents.Count));
    }

    private static LayerRecord Layer(LayerId? parent) =>
        new(LayerId.New(), parent, LayerKind.Writable, [], new Dictionary<string, string>(), DateTimeOffset.UnixEpoch);

    private LayerRecord Current(LayerRecord layer) => _view.Current.FindLayer(layer.Id)!;

    private void Publish(CatalogState state, params IReadOnlyList<IJournalEvent> events) => _view.Publish(events.Aggregate(state, static (now, next) => now.Apply(next)));
}
