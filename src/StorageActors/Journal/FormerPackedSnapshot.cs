using System.Buffers.Binary;
using System.Text.Json;
using StorageActors.Protocol;
using StorageActors.Records;

namespace StorageActors.Journal;

/// <summary>
/// The snapshot of a large store as it was packed before <see cref="PackedSnapshot"/>: its head ends behind the number of layers, and the record behind what leads to a layer is all of it. It is only
/// read, and all at once; the store has a new one when it stops.
/// </summary>
internal static class FormerPackedSnapshot
{
    /// <summary>The name of its row.</summary>
    internal const string Manifest = "catalog-2";

    private const int HeadSize = 28;

    /// <param name="bytes">The row.</param>
    /// <exception cref="Exception"><see cref="JsonException"/> or <see cref="FormatException"/>: they are not what was written.</exception>
    internal static CatalogEvent.Snapshot Read(byte[] bytes)
    {
        var parts = PackedSnapshot.Split(bytes, HeadSize);
        var (ends, layers) = (parts.Ends, new List<LayerRecord>());
        for (var start = 0; !ends.IsEmpty; ends = ends[sizeof(int)..])
        {
            var end = BinaryPrimitives.ReadInt32LittleEndian(ends.Span);
            if (end < start || end > parts.Layers.Length) throw new FormatException("a layer's bytes end where they cannot");
            layers.Add(new PackedLayer(parts.Layers.Span[start..end]).ReadWhole());
            start = end;
        }

        return new CatalogEvent.Snapshot(new ListedLayers(layers), PackedSnapshot.ReadImages(parts.Images.Span)) { IsPacked = true };
    }
}
