using StorageActors.Protocol;

namespace StorageActors.Records;

/// <summary>A table of records that were read already.</summary>
internal sealed class ListedLayers(IReadOnlyList<LayerRecord> layers) : LayerTable([.. layers.Select(static layer => layer.Id.Value)])
{
    internal static readonly ListedLayers None = new([]);

    /// <inheritdoc/>
    public override LayerRecord this[int index] => layers[index];

    internal override bool IsDamaged(int row) => layers[row].Damage is not null;

    protected override string? ParentOf(int row) => layers[row].Parent?.Value;

    protected override string? ChainOf(int row) => layers[row].ChainId?.Value;

    protected override IReadOnlyList<string> NamesOf(int row) => layers[row].Names;
}
