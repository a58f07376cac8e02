using System.Buffers;
using System.Text;
using System.Text.Json;
using StorageActors.Protocol;

namespace StorageActors.Records;

/// <summary>
/// One layer in a packed snapshot: what leads to it, so that it is found without its record's being read, then the rest of the record as JSON.
/// <code>what it has (1 byte), length of id (1), length of parent's id (1), id, parent's id, ChainID (32, if it has one), rest of the record</code>
/// </summary>
internal readonly ref struct PackedLayer
{
    /// <summary>The fewest bytes that one takes.</summary>
    internal const int Least = HeadSize + 2;

    private const int HeadSize = 3;
    private const int DigestSize = 32;

    private readonly Has _has;
    private readonly ReadOnlySpan<byte> _id;
    private readonly ReadOnlySpan<byte> _parent;
    private readonly ReadOnlySpan<byte> _chain;
    private readonly ReadOnlySpan<byte> _record;

    /// <param name="bytes">All of it, and nothing else.</param>
    /// <exception cref="FormatException">They are too few for what they say.</exception>
    internal PackedLayer(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < HeadSize) throw TooShort();
        _has = (Has)bytes[0];
        var (id, parent, chain) = (bytes[1], bytes[2], _has.HasFlag(Has.Chain) ? DigestSize : 0);
        var rest = bytes[HeadSize..];
        if (rest.Length < id + parent + chain) throw TooShort();
        _id = rest[..id];
        _parent = rest.Slice(id, parent);
        _chain = rest.Slice(id + parent, chain);
        _record = rest[(id + parent + chain)..];
    }

    [Flags]
    private enum Has : byte
    {
        Chain = 1,
        Names = 2,
        Damage = 4,
    }

    /// <summary>The id of a layer whose bytes are known to be enough, without a look at the rest of them.</summary>
    internal static ReadOnlySpan<byte> IdIn(ReadOnlySpan<byte> bytes) => bytes.Slice(HeadSize, bytes[1]);

    /// <summary>Whether its record has a damage, in the same way.</summary>
    internal static bool IsDamagedIn(ReadOnlySpan<byte> bytes) => ((Has)bytes[0]).HasFlag(Has.Damage);

    internal ReadOnlySpan<byte> Id => _id;

    /// <summary>The parent's id; empty without one.</summary>
    internal ReadOnlySpan<byte> Parent => _parent;

    /// <summary>The bytes of the ChainID; empty without one.</summary>
    internal ReadOnlySpan<byte> Chain => _chain;

    internal bool HasNames => _has.HasFlag(Has.Names);

    /// <summary>Reads the record.</summary>
    /// <exception cref="Exception"><see cref="JsonException"/> or <see cref="FormatException"/>: it is none, or not what is said of it.</exception>
    internal LayerRecord Read()
    {
        var id = LayerId.Parse(Encoding.UTF8.GetString(_id));
        var record = LayerRecordJson.ReadRest(
            _record, id, _parent.IsEmpty ? null : LayerId.Parse(Encoding.UTF8.GetString(_parent)), _chain.IsEmpty ? null : Digest.FromBytes(_chain));
        return HasNames == record.Names.Count > 0 && _has.HasFlag(Has.Damage) == record.Damage is not null ? record : throw new JsonException($"the record of the layer {id} is not what is said of it");
    }

    /// <summary>The same where the record is all of it.</summary>
    /// <exception cref="JsonException">It is none, or another layer's.</exception>
    internal LayerRecord ReadWhole()
    {
        var record = JsonRead.Document(_record, LayerRecordJson.Read);
        return Ascii.Equals(_id, record.Id.Value) ? record : throw new JsonException($"the record of the layer {Encoding.UTF8.GetString(_id)} is another's");
    }

    /// <summary>Writes a layer.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="output">Where its bytes go.</param>
    /// <param name="json">Writes to the same; for one layer after the other.</param>
    internal static void Write(LayerRecord layer, IBufferWriter<byte> output, Utf8JsonWriter json)
    {
        var (id, parent) = (layer.Id.Value, layer.Parent?.Value ?? "");
        var has = (layer.ChainId is null ? 0 : Has.Chain) | (layer.Names.Count == 0 ? 0 : Has.Names) | (layer.Damage is null ? 0 : Has.Damage);
        output.Write([(byte)has, (byte)id.Length, (byte)parent.Length]); // An id has 128 characters at most, all of them ASCII.
        Encoding.UTF8.GetBytes(id, output);
        Encoding.UTF8.GetBytes(parent, output);
        if (layer.ChainId is { } chain) output.Write(Convert.FromHexString(chain.Hex));
        json.Reset(output);
        LayerRecordJson.WriteRest(json, layer);
        json.Flush();
    }

    private static FormatException TooShort() => new("a layer's bytes are too few for what they say");
}
