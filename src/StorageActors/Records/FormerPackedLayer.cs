using System.Text;
using System.Text.Json;
using StorageActors.Protocol;

namespace StorageActors.Records;

/// <summary>
/// One layer in a packed snapshot as it was before <see cref="PackedLayer"/>: only read, and all of it.
/// <code>what it has (1 byte), length of id (1), length of parent's id (1), id, parent's id, ChainID (32, if it has one), record</code>
/// </summary>
internal readonly ref struct FormerPackedLayer
{
    /// <summary>The fewest bytes that one takes.</summary>
    internal const int Least = HeadSize + 2;

    private const int HeadSize = 3;
    private const int DigestSize = 32;
    private const byte HasChain = 1;

    private readonly ReadOnlySpan<byte> _id;
    private readonly ReadOnlySpan<byte> _parent;
    private readonly ReadOnlySpan<byte> _chain;
    private readonly ReadOnlySpan<byte> _record;

    /// <param name="bytes">All of it, and nothing else.</param>
    /// <exception cref="FormatException">They are too few for what they say.</exception>
    internal FormerPackedLayer(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < HeadSize) throw TooShort();
        var (id, parent, chain) = (bytes[1], bytes[2], (bytes[0] & HasChain) == 0 ? 0 : DigestSize);
        var rest = bytes[HeadSize..];
        if (rest.Length < id + parent + chain) throw TooShort();
        _id = rest[..id];
        _parent = rest.Slice(id, parent);
        _chain = rest.Slice(id + parent, chain);
        _record = rest[(id + parent + chain)..];
    }

    /// <summary>Where the record is all of it (<c>catalog-2</c>).</summary>
    /// <exception cref="JsonException">It is none, or another layer's.</exception>
    internal LayerRecord ReadWhole()
    {
        var record = JsonRead.Document(_record, LayerRecordJson.Read);
        return Ascii.Equals(_id, record.Id.Value) ? record : throw new JsonException($"the record of the layer {Encoding.UTF8.GetString(_id)} is another's");
    }

    /// <summary>Where the record is without what stands in front of it (<c>catalog-3</c>).</summary>
    /// <exception cref="Exception"><see cref="JsonException"/> or <see cref="FormatException"/>: it is none.</exception>
    internal LayerRecord ReadRest() => LayerRecordJson.ReadRest(_record, new RecordLead(
        LayerId.Parse(Encoding.UTF8.GetString(_id)), _parent.IsEmpty ? null : LayerId.Parse(Encoding.UTF8.GetString(_parent)), ChainId: _chain.IsEmpty ? null : Digest.FromBytes(_chain)));

    private static FormatException TooShort() => new("a layer's bytes are too few for what they say");
}
