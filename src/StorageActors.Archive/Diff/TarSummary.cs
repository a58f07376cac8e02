using StorageActors.Protocol;

namespace StorageActors.Archive.Diff;

/// <summary>An archive that was written.</summary>
/// <param name="DiffId">Its digest.</param>
/// <param name="Size">Its length in bytes.</param>
/// <param name="Entries">Its entries; 0 when it was put together from a record, which does not count them.</param>
/// <param name="Uids">The distinct owners, sorted.</param>
/// <param name="Gids">The distinct groups, sorted.</param>
/// <param name="Warnings">What an archive cannot hold.</param>
internal sealed record TarSummary(
    Digest DiffId, long Size, long Entries, IReadOnlyList<long> Uids, IReadOnlyList<long> Gids, IReadOnlyList<string> Warnings);
