using StorageActors.Protocol;

namespace StorageActors.Images;

/// <summary>The keys under which an image's documents are kept; the same as other container tools use.</summary>
public static class ImageDocumentKeys
{
    /// <summary>The manifest.</summary>
    public const string Manifest = "manifest";

    /// <summary>The configuration: its digest.</summary>
    /// <param name="config">The digest of the configuration.</param>
    public static string Config(Digest config) => config.Value;

    /// <summary>The configuration of an image.</summary>
    /// <param name="image">The image.</param>
    public static string Config(ImageId image) => "sha256:" + image.Value;
}
