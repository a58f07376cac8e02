using System.Buffers.Binary;
using System.Text.Json;
using StorageActors.Protocol;
using StorageActors.Records;

namespace StorageActors.Journal;

/// <summary>
/// The snapshot of a large store as it was packed before <see cref="PackedSnapshot"/>. It is only read, and all at once; the store has a new one when it stops.
/// </summary>
internal static class FormerPackedSnapshot
{
    /// <summary>The name of a row whose head ends behind the number of layers, and in which the record behind what leads to a layer is all of it.</summary>
    internal const string Second = "catalog-2";

    /// <summary>The name of a row that differs from those of today in what it has of a layer: digests, kind and time are in the record's JSON.</summary>
    internal const string Third = "catalog-3";

    private const int HeadOfSecond = 28;
    private const int HeadOfThird = 41;

    /// <param name="bytes">The row.</param>
    /// <param name="manifest">Its name.</param>
    /// <exception cref="Exception"><see cref="JsonException"/> or <see cref="FormatException"/>: they are not what was written.</exception>
    internal static CatalogEvent.Snapshot Read(byte[] bytes, string manifest)
    {
        var parts = PackedSnapshot.Split(bytes, manifest == Second ? HeadOfSecond : HeadOfThird, FormerPackedLayer.Least);
        var (ends, layers) = (parts.Ends, new List<LayerRecord>());
        for (var start = 0; !ends.IsEmpty; ends = ends[sizeof(int)..])
        {
            var end = BinaryPrimitives.ReadInt32LittleEndian(ends.Span);
            if (end < start || end > parts.Layers.Length) throw new FormatException("a layer's bytes end where they cannot");
            var layer = new FormerPackedLayer(parts.Layers.Span[start..end]);
            layers.Add(manifest == Second ? layer.ReadWhole() : layer.ReadRest());
            start = end;
        }

        return new CatalogEvent.Snapshot(new ListedLayers(layers), PackedSnapshot.ReadImages(parts.Images.Span)) { IsPacked = true };
    }
}
