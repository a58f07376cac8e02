using StorageActors.Protocol;

namespace StorageActors.Records;

/// <summary>A table of records that were read already.</summary>
internal sealed class ListedLayers : LayerTable
{
    internal static readonly ListedLayers None = new([]);

    private readonly IReadOnlyList<LayerRecord> _layers;
    private readonly byte[][] _keys;
    private readonly Lazy<LayerTotals> _totals;

    /// <exception cref="FormatException">A layer is there twice.</exception>
    internal ListedLayers(IReadOnlyList<LayerRecord> layers)
        : base(layers.Count)
    {
        _layers = layers;
        _keys = [.. layers.Select(static layer => IdKey.Of(layer.Id.Value))];
        _totals = new Lazy<LayerTotals>(() => LayerTotals.Of(layers));
        RequireEachOnce();
    }

    /// <inheritdoc/>
    public override LayerRecord this[int index] => _layers[index];

    internal override LayerTotals Totals => _totals.Value;

    internal override bool IsDamaged(int row) => _layers[row].Damage is not null;

    protected override ReadOnlySpan<byte> KeyOf(int row) => _keys[row];

    protected override ReadOnlySpan<byte> ParentOf(int row) => _layers[row].Parent is { } parent ? IdKey.Of(parent.Value) : [];

    protected override ReadOnlySpan<byte> ChainOf(int row) => _layers[row].ChainId is { } chain ? Convert.FromHexString(chain.Hex) : [];

    protected override IReadOnlyList<string> NamesOf(int row) => _layers[row].Names;
}
