using System.Text.Json.Serialization;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Drivers;

/// <summary>Two layers to compare.</summary>
/// <param name="Layer">The layer.</param>
/// <param name="Parents">The layers below it, nearest first.</param>
/// <param name="From">What to compare with; null for the parent (or nothing, for a base layer).</param>
/// <param name="FromParents">The layers below <paramref name="From"/>, nearest first; empty when that is null.</param>
/// <param name="Exact">Re-assemble the stream that the layer was made from, when it has one and <paramref name="From"/> is its parent.</param>
/// <param name="Expected">The digest that an exact tar must have; another one is an error.</param>
/// <param name="Whole">The whole tree, as if nothing were below <paramref name="Layer"/>; <paramref name="From"/> is null then.</param>
internal sealed record DiffRequest(
    LayerLocation Layer, IReadOnlyList<LayerLocation> Parents, LayerLocation? From, IReadOnlyList<LayerLocation> FromParents, bool Exact,
    Digest? Expected = null, bool Whole = false)
{
    /// <summary>Whether the layer's own changes are the answer.</summary>
    internal bool IsFromParent => Parents.Count == 0 ? From is null : !Whole && (From is null || From.Id == Parents[0].Id);
}

/// <summary>A tar that was written.</summary>
/// <param name="DiffId">Digest of the uncompressed bytes.</param>
/// <param name="Size">Their number.</param>
/// <param name="Entries">Entries in it.</param>
/// <param name="Uids">Distinct owners, sorted.</param>
/// <param name="Gids">Distinct groups, sorted.</param>
/// <param name="Warnings">What a tar cannot hold (sockets).</param>
internal sealed record WrittenTar(
    Digest DiffId, long Size, long Entries, IReadOnlyList<long> Uids, IReadOnlyList<long> Gids, IReadOnlyList<string> Warnings);

/// <summary>What a layer's own content takes.</summary>
/// <param name="Bytes">Allocated bytes, hard links once.</param>
/// <param name="Inodes">Inodes, hard links once.</param>
/// <param name="Content">Lengths of files and symbolic links, hard links once.</param>
internal sealed record ContentUsage(long Bytes, long Inodes, long Content)
{
    /// <summary>When the youngest of its inodes was changed, as the kernel notes it; null when the driver did not look.</summary>
    [JsonIgnore]
    public TimeSpec? LastChange { get; init; }
}
