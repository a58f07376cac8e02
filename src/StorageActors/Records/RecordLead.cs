using System.Runtime.InteropServices;
using StorageActors.Protocol;

namespace StorageActors.Records;

/// <summary>What of a layer's record stands beside its JSON, where that is only the rest of it. With the kind both digests stand there, too.</summary>
/// <param name="Id">The layer.</param>
/// <param name="Parent">Its parent, if it has one.</param>
/// <param name="Kind">Sealed or writable; null where the JSON says so.</param>
/// <param name="Created">When it was made; null where the JSON says so.</param>
/// <param name="DiffId">Its DiffID; null without one, or where the JSON has it.</param>
/// <param name="ChainId">Its ChainID, if it has one.</param>
/// <param name="BlobDigest">The digest of its blob; null without one, or where the JSON has it.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct RecordLead(
    LayerId Id, LayerId? Parent, LayerKind? Kind = null, DateTimeOffset? Created = null, Digest? DiffId = null, Digest? ChainId = null, Digest? BlobDigest = null)
{
    /// <summary>Whether a time stands there: one that is said in UTC, as the engine's own are. Any other would come back as another text.</summary>
    internal static bool Has(DateTimeOffset created) => created.Offset == TimeSpan.Zero;
}
