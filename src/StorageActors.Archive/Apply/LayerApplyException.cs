using StorageActors.Protocol;

namespace StorageActors.Archive.Apply;

/// <summary>
/// A layer's tar cannot be applied, or a layer's content cannot be written as a tar, for a reason that trying again does not change: bad input, a
/// limit, a digest that is not the expected one. Failed system calls stay <see cref="Linux.LinuxException"/>s.
/// </summary>
public sealed class LayerApplyException(StorageError error, Exception? inner = null) : IOException(error.ToString(), inner)
{
    /// <summary>The refusal, ready to travel.</summary>
    public StorageError Error { get; } = error;

    internal static LayerApplyException Bad(string message, string? path = null) =>
        new(new StorageError(StorageErrorCode.BadInput, Extracting, message, path));

    internal static LayerApplyException OverLimit(string message, string? path = null) =>
        new(new StorageError(StorageErrorCode.LimitExceeded, Extracting, message, path));

    internal static LayerApplyException Mismatch(string message) =>
        new(new StorageError(StorageErrorCode.DigestMismatch, Extracting, message));

    internal const string Extracting = "extract";
}
