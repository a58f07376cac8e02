namespace StorageActors.Protocol;

/// <summary>How a layer's blob is compressed.</summary>
public enum LayerCompression
{
    /// <summary>A plain tar.</summary>
    None,

    /// <summary>gzip, one or more members.</summary>
    Gzip,

    /// <summary>zstd, one or more frames, skippable frames allowed.</summary>
    Zstd,

    /// <summary>xz.</summary>
    Xz,

    /// <summary>bzip2.</summary>
    Bzip2,
}
