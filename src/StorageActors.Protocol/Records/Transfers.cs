namespace StorageActors.Protocol;

/// <summary>
/// Where a tar comes from: a file (or a part of one, as for a layer inside an archive), or a stream that the host writes to.
/// Exactly one of <paramref name="Path"/> and <paramref name="Upload"/> is given.
/// </summary>
/// <param name="Path">Absolute path of a file that the engine's process can read.</param>
/// <param name="Offset">First byte of the blob in the file.</param>
/// <param name="Length">Length of the blob, if it is known: to the end of the file or stream otherwise.</param>
/// <param name="Upload">A stream opened by the host with the engine's transfers before it sends the command.</param>
public sealed record BlobSource(string? Path = null, long Offset = 0, long? Length = null, TransferId? Upload = null)
{
    /// <summary>A whole file.</summary>
    public static BlobSource File(string path) => new(path);

    /// <summary>A stream that the host writes to.</summary>
    public static BlobSource FromUpload(TransferId upload, long? length = null) => new(Upload: upload, Length: length);
}

/// <summary>
/// Where a tar goes to: a file that is created (or replaced) atomically, or a stream that the host reads from.
/// Exactly one of the two is given.
/// </summary>
/// <param name="Path">Absolute path; the file appears when it is complete.</param>
/// <param name="Download">A stream opened by the host with the engine's transfers before it sends the command.</param>
public sealed record BlobTarget(string? Path = null, TransferId? Download = null);
