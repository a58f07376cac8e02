using StorageActors.Protocol;

namespace StorageActors.Images.Reading;

/// <summary>The refusals of whoever reads images.</summary>
internal static class ImageFault
{
    internal static StorageException Bad(string path, string message, Exception? inner = null) => Make(StorageErrorCode.BadInput, path, message, inner);

    internal static StorageException Missing(string path, string message) => Make(StorageErrorCode.NotFound, path, message, null);

    /// <summary>The image cannot be told from others without the caller's word.</summary>
    internal static StorageException Ask(string path, string message) => Make(StorageErrorCode.InvalidArgument, path, message, null);

    internal static StorageException Unsupported(string path, string message) => Make(StorageErrorCode.Unsupported, path, message, null);

    private static StorageException Make(StorageErrorCode code, string path, string message, Exception? inner) =>
        new(new StorageError(code, "read image", $"{path}: {message}", path), inner);
}
