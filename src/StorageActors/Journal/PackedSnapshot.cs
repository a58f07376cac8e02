using System.Buffers;
using System.Buffers.Binary;
using System.Reflection;
using System.Text.Json;
using StorageActors.Archive.Digests;
using StorageActors.Protocol;
using StorageActors.Records;

namespace StorageActors.Journal;

/// <summary>
/// The snapshot of a large store: its layers are not read before they are asked for (<see cref="PackedLayers"/>), so that each costs a start what its bytes take to come from the disk. A small one's is
/// JSON as all else, which earlier versions read, too; how they packed it is <see cref="FormerPackedSnapshot"/>. All numbers have their lowest byte first.
/// <code>
/// 8   CRC-64 (ISO) of all that follows
/// 16  the build of the program that wrote it
/// 4   how many layers there are
/// 4   how many of them have a damage
/// 8   the sum of their ids, as NameSum has it
/// 1   whether none is before its parent: 1, else 0
/// 4   for each layer: where its bytes end
///     the layers, each as PackedLayer has it
///     the images: a list of their records, as JSON
/// </code>
/// </summary>
internal static class PackedSnapshot
{
    /// <summary>The name of its row.</summary>
    internal const string Manifest = "catalog-4";

    /// <summary>A store with so many layers has its snapshot packed, unless its settings say otherwise (<c>catalog.pack-from</c>); to read fewer as JSON takes a millisecond or two.</summary>
    internal const int Least = 256;

    private const int BuildOffset = 8;
    private const int CountOffset = BuildOffset + 16;
    private const int DamagedOffset = CountOffset + sizeof(int);
    private const int SumOffset = DamagedOffset + sizeof(int);
    private const int OrderOffset = SumOffset + sizeof(long);
    private const int HeadSize = OrderOffset + 1;

    /// <summary>Another build may not be able to read what this one can, or read it otherwise: of the module that reads records, and of the one that has what they are made of and checks it.</summary>
    internal static Guid Build { get; } = BuildOf(typeof(PackedSnapshot).Module, typeof(LayerRecord).Module);

    /// <summary>Whether a snapshot that was read is not packed by this build: a store that is to have it packed would start more slowly than it could.</summary>
    internal static bool IsOutdated(CatalogEvent.Snapshot snapshot) => snapshot.Layers is not PackedLayers { WasReadAtOnce: false };

    internal static byte[] Write(CatalogEvent.Snapshot snapshot)
    {
        var layers = new ArrayBufferWriter<byte>((snapshot.Layers.Count + 1) * 256);
        var ends = new int[snapshot.Layers.Count];
        using var json = new Utf8JsonWriter(layers);
        var row = 0;
        foreach (var layer in snapshot.Layers)
        {
            PackedLayer.Write(layer, layers, json);
            ends[row++] = layers.WrittenCount;
        }

        json.Reset(layers);
        json.WriteStartArray();
        foreach (var image in snapshot.Images) ImageRecordJson.Write(json, image);
        json.WriteEndArray();
        json.Flush();

        var bytes = new byte[HeadSize + (ends.Length * sizeof(int)) + layers.WrittenCount];
        Build.TryWriteBytes(bytes.AsSpan(BuildOffset));
        WriteTotals(bytes, LayerTotals.Of(snapshot.Layers));
        for (row = 0; row < ends.Length; row++) BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(HeadSize + (row * sizeof(int))), ends[row]);
        layers.WrittenSpan.CopyTo(bytes.AsSpan(HeadSize + (ends.Length * sizeof(int))));
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, Crc64.Compute(bytes.AsSpan(BuildOffset)));
        return bytes;
    }

    /// <param name="bytes">The row; the snapshot's from now on, and never changed.</param>
    /// <exception cref="Exception"><see cref="JsonException"/> or <see cref="FormatException"/>: they are not what is written.</exception>
    internal static CatalogEvent.Snapshot Read(byte[] bytes)
    {
        var parts = Split(bytes, HeadSize, PackedLayer.Least);
        var layers = new PackedLayers(parts.Ends, parts.Layers, ReadTotals(bytes));
        if (new Guid(bytes.AsSpan(BuildOffset, 16)) != Build) layers.ReadAll();
        return new CatalogEvent.Snapshot(layers, ReadImages(parts.Images.Span)) { IsPacked = true };
    }

    /// <summary>What stands behind the head.</summary>
    /// <param name="bytes">The row.</param>
    /// <param name="headSize">How long its head is, which has the checksum and the count where they are here.</param>
    /// <param name="leastLayer">The fewest bytes that a layer takes.</param>
    internal static (ReadOnlyMemory<byte> Ends, ReadOnlyMemory<byte> Layers, ReadOnlyMemory<byte> Images) Split(byte[] bytes, int headSize, int leastLayer)
    {
        if (bytes.Length < headSize) throw new FormatException("it ends too early");
        if (BinaryPrimitives.ReadUInt64LittleEndian(bytes) != Crc64.Compute(bytes.AsSpan(BuildOffset))) throw new FormatException("its bytes are not those of its checksum");
        var count = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(CountOffset));
        if (count < 0 || count > (bytes.Length - headSize) / (sizeof(int) + leastLayer)) throw new FormatException($"it is too short for {count} layers");

        var ends = bytes.AsMemory(headSize, count * sizeof(int));
        var rest = bytes.AsMemory(headSize + ends.Length);
        var length = count == 0 ? 0 : BinaryPrimitives.ReadInt32LittleEndian(ends.Span[^sizeof(int)..]);
        if (length < 0 || length > rest.Length) throw new FormatException("it is too short for its layers");
        return (ends, rest[..length], rest[length..]);
    }

    internal static List<ImageRecord> ReadImages(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        var images = new List<ImageRecord>();
        try
        {
            if (!reader.Read()) throw new JsonException("it has no list of images");
            JsonRead.Begin(ref reader, JsonTokenType.StartArray);
            while (JsonRead.NextItem(ref reader)) images.Add(ImageRecordJson.Read(ref reader));
            reader.Read(); // Nothing may follow; the reader itself refuses what does.
            return images;
        }
        catch (InvalidOperationException e)
        {
            throw new JsonException(e.Message, e); // A text that is no valid UTF-8.
        }
    }

    private static void WriteTotals(Span<byte> head, LayerTotals totals)
    {
        BinaryPrimitives.WriteInt32LittleEndian(head[CountOffset..], totals.Ids.Count);
        BinaryPrimitives.WriteInt32LittleEndian(head[DamagedOffset..], totals.Damaged);
        BinaryPrimitives.WriteInt64LittleEndian(head[SumOffset..], totals.Ids.Sum);
        head[OrderOffset] = totals.HasParentsFirst ? (byte)1 : (byte)0;
    }

    private static LayerTotals ReadTotals(ReadOnlySpan<byte> head) => new(
        new NameSum(BinaryPrimitives.ReadInt32LittleEndian(head[CountOffset..]), BinaryPrimitives.ReadInt64LittleEndian(head[SumOffset..])),
        BinaryPrimitives.ReadInt32LittleEndian(head[DamagedOffset..]), head[OrderOffset] == 1);

    /// <summary>Ids of modules are digests already, so that one's bits over the other's are as good as a digest of both; and no library has to be loaded for them.</summary>
    private static Guid BuildOf(Module one, Module other)
    {
        var (bytes, above) = (one.ModuleVersionId.ToByteArray(), other.ModuleVersionId.ToByteArray());
        for (var i = 0; i < bytes.Length; i++) bytes[i] ^= above[i];
        return new Guid(bytes);
    }
}
