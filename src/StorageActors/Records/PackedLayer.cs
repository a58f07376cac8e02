using System.Buffers;
using System.Buffers.Binary;
using System.Text.Json;
using StorageActors.Protocol;

namespace StorageActors.Records;

/// <summary>
/// One layer in a packed snapshot: what leads to it, so that it is found without its record's being read, and what takes the most room as text; then the rest of the record as JSON. A layer without parent,
/// content and names takes some forty bytes.
/// <code>
/// 1   what it has
///     its id, as IdKey has it
///     its parent's id, if it has one
/// 32  each of its ChainID, its DiffID and the digest of its blob, if it has them
/// 8   when it was made, in ticks of UTC, if that was said in UTC
///     the rest of its record
/// </code>
/// </summary>
internal readonly ref struct PackedLayer
{
    /// <summary>The fewest bytes that one takes.</summary>
    internal const int Least = HeadSize + IdKey.Least;

    private const int HeadSize = 1;
    private const int DigestSize = 32;

    private readonly Has _has;
    private readonly ReadOnlySpan<byte> _id;
    private readonly ReadOnlySpan<byte> _parent;
    private readonly ReadOnlySpan<byte> _chain;
    private readonly ReadOnlySpan<byte> _diff;
    private readonly ReadOnlySpan<byte> _blob;
    private readonly ReadOnlySpan<byte> _created;
    private readonly ReadOnlySpan<byte> _record;

    /// <param name="bytes">All of it, and nothing else.</param>
    /// <exception cref="FormatException">They are too few for what they say.</exception>
    internal PackedLayer(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty) throw TooShort();
        _has = (Has)bytes[0];
        var rest = bytes[HeadSize..];
        _id = TakeKey(ref rest);
        if (_has.HasFlag(Has.Parent)) _parent = TakeKey(ref rest);
        if (_has.HasFlag(Has.Chain)) _chain = Take(ref rest, DigestSize);
        if (_has.HasFlag(Has.Diff)) _diff = Take(ref rest, DigestSize);
        if (_has.HasFlag(Has.Blob)) _blob = Take(ref rest, DigestSize);
        if (_has.HasFlag(Has.Created)) _created = Take(ref rest, sizeof(long));
        _record = rest;
    }

    [Flags]
    private enum Has : byte
    {
        Chain = 1,
        Names = 2,
        Damage = 4,
        Parent = 8,
        Diff = 16,
        Blob = 32,
        Created = 64,
        Seal = 128,
    }

    /// <summary>The id of a layer whose bytes are known to be enough, as <see cref="IdKey"/>, without a look at the rest of them.</summary>
    internal static ReadOnlySpan<byte> IdIn(ReadOnlySpan<byte> bytes) => bytes.Slice(HeadSize, IdKey.LengthAt(bytes[HeadSize..]));

    /// <summary>Whether its record has a damage, in the same way.</summary>
    internal static bool IsDamagedIn(ReadOnlySpan<byte> bytes) => ((Has)bytes[0]).HasFlag(Has.Damage);

    /// <summary>The parent's id, as <see cref="IdKey"/>; empty without one.</summary>
    internal ReadOnlySpan<byte> Parent => _parent;

    /// <summary>The bytes of the ChainID; empty without one.</summary>
    internal ReadOnlySpan<byte> Chain => _chain;

    internal bool HasNames => _has.HasFlag(Has.Names);

    /// <summary>Reads the record.</summary>
    /// <exception cref="Exception"><see cref="JsonException"/> or <see cref="FormatException"/>: it is none, or not what is said of it.</exception>
    internal LayerRecord Read()
    {
        var id = LayerId.Parse(IdKey.Read(_id));
        var record = LayerRecordJson.ReadRest(_record, new RecordLead(
            id, _parent.IsEmpty ? null : LayerId.Parse(IdKey.Read(_parent)), _has.HasFlag(Has.Seal) ? LayerKind.Sealed : LayerKind.Writable,
            _created.IsEmpty ? null : TimeOf(_created), DigestOf(_diff), DigestOf(_chain), DigestOf(_blob)));
        return HasNames == record.Names.Count > 0 && _has.HasFlag(Has.Damage) == record.Damage is not null ? record : throw new JsonException($"the record of the layer {id} is not what is said of it");
    }

    /// <summary>Writes a layer.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="output">Where its bytes go.</param>
    /// <param name="json">Writes to the same; for one layer after the other.</param>
    internal static void Write(LayerRecord layer, IBufferWriter<byte> output, Utf8JsonWriter json)
    {
        var has = (layer.ChainId is null ? 0 : Has.Chain) | (layer.Names.Count == 0 ? 0 : Has.Names) | (layer.Damage is null ? 0 : Has.Damage) | (layer.Parent is null ? 0 : Has.Parent)
            | (layer.DiffId is null ? 0 : Has.Diff) | (layer.BlobDigest is null ? 0 : Has.Blob) | (RecordLead.Has(layer.Created) ? Has.Created : 0) | SealOf(layer.Kind);
        output.Write([(byte)has]);
        output.Write(IdKey.Of(layer.Id.Value));
        if (layer.Parent is { } parent) output.Write(IdKey.Of(parent.Value));
        foreach (var digest in (ReadOnlySpan<Digest?>)[layer.ChainId, layer.DiffId, layer.BlobDigest])
        {
            if (digest is { } known) output.Write(Convert.FromHexString(known.Hex));
        }

        if (RecordLead.Has(layer.Created))
        {
            BinaryPrimitives.WriteInt64LittleEndian(output.GetSpan(sizeof(long)), layer.Created.UtcTicks);
            output.Advance(sizeof(long));
        }

        json.Reset(output);
        LayerRecordJson.WriteRest(json, layer);
        json.Flush();
    }

    private static Has SealOf(LayerKind kind) => kind switch
    {
        LayerKind.Sealed => Has.Seal,
        LayerKind.Writable => 0,
        _ => throw new JsonException($"there is no layer of kind {(int)kind}"),
    };

    private static ReadOnlySpan<byte> TakeKey(scoped ref ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty) throw TooShort();
        var key = Take(ref bytes, IdKey.LengthAt(bytes));
        return IdKey.IsKey(key) ? key : throw new FormatException($"\"{Convert.ToHexString(key)}\" is no layer's id");
    }

    private static ReadOnlySpan<byte> Take(scoped ref ReadOnlySpan<byte> bytes, int count)
    {
        if (bytes.Length < count) throw TooShort();
        var taken = bytes[..count];
        bytes = bytes[count..];
        return taken;
    }

    private static Digest? DigestOf(ReadOnlySpan<byte> bytes) => bytes.IsEmpty ? null : Digest.FromBytes(bytes);

    private static DateTimeOffset TimeOf(ReadOnlySpan<byte> bytes)
    {
        var ticks = BinaryPrimitives.ReadInt64LittleEndian(bytes);
        return ticks >= 0 && ticks <= DateTimeOffset.MaxValue.Ticks ? new DateTimeOffset(ticks, TimeSpan.Zero) : throw new FormatException($"{ticks} is no time");
    }

    private static FormatException TooShort() => new("a layer's bytes are too few for what they say");
}
