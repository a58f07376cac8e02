namespace StorageActors.Images;

/// <summary>How an image lies outside a store.</summary>
public enum ImageFormat
{
    /// <summary>A directory with an OCI image layout.</summary>
    OciLayout,

    /// <summary>An OCI image layout in a tar.</summary>
    OciArchive,

    /// <summary>What <c>docker save</c> writes.</summary>
    DockerArchive,
}
