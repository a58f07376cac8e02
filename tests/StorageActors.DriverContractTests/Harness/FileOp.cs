using StorageActors.Linux;

namespace StorageActors.DriverContractTests.Harness;

/// <summary>
/// One step of making a layer; the same steps are written as a tar, done in a mount, or done to a model. Paths are relative to the layer's root, a
/// character for each byte (Latin-1), so that names that are no text can be written down.
/// </summary>
internal abstract record FileOp(string Path)
{
    internal sealed record Write(string Path, byte[] Content, Meta Meta) : FileOp(Path);

    internal sealed record MakeDirectory(string Path, Meta Meta) : FileOp(Path);

    internal sealed record Symlink(string Path, string Target, Meta Meta) : FileOp(Path);

    internal sealed record HardLink(string Path, string Target) : FileOp(Path);

    internal sealed record Node(string Path, FileType Type, DeviceNumber Device, Meta Meta) : FileOp(Path);

    /// <summary>Deletes what the layers below have: a whiteout in a tar, a removal in a mount.</summary>
    internal sealed record Remove(string Path) : FileOp(Path);

    /// <summary>Deletes all that the layers below have in a directory, which stays.</summary>
    internal sealed record Opaque(string Path) : FileOp(Path);
}
