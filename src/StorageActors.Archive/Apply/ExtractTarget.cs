using Microsoft.Win32.SafeHandles;

namespace StorageActors.Archive.Apply;

/// <summary>Where a layer is extracted to. The handles stay the caller's.</summary>
internal sealed record ExtractTarget
{
    /// <summary>The name of the archive's recorded structure in a layer's directory.</summary>
    internal const string RecordName = "tar-split.json.gz";

    /// <summary>0755: what everybody may read, and its owner write.</summary>
    internal const uint DefaultRootMode = 0x1ED;

    /// <summary>The directory that gets the content. On a file system that nobody else changes it on.</summary>
    internal required SafeFileHandle Root { get; init; }

    /// <summary>The layer's own directory, on the same file system; gets <see cref="RecordName"/> and, meanwhile, temporary files.</summary>
    internal required SafeFileHandle LayerDirectory { get; init; }

    /// <summary>How the driver writes whiteouts.</summary>
    internal required IWhiteoutFormat Whiteouts { get; init; }

    /// <summary>What is below; <see cref="EmptyLowerView"/> for a base layer, null while it is not known. Of no matter for formats that work in place.</summary>
    internal ILowerView? Below { get; init; }

    /// <summary>Gives what is made its owner.</summary>
    internal OwnerWriter Owners { get; init; } = OwnerWriter.Exact;

    /// <summary>Mode of the root when neither the archive nor a layer below says one.</summary>
    internal uint RootMode { get; init; } = DefaultRootMode;
}
