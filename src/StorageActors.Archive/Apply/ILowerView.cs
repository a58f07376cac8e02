using Microsoft.Win32.SafeHandles;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Archive.Apply;

/// <summary>What the layers below a layer show together. Paths are clean, without a leading slash; empty for the root. No path leads through a symbolic link.</summary>
internal interface ILowerView
{
    /// <summary>What is visible at a path; null when nothing is.</summary>
    LowerEntry? Find(ReadOnlySpan<byte> path);

    /// <summary>The names visible in a directory, sorted; none when there is no such directory.</summary>
    IReadOnlyList<byte[]> List(ReadOnlySpan<byte> directory);
}

/// <summary>Something that the layers below show.</summary>
/// <param name="Root">The root of the layer's content that it is in. Belongs to the view.</param>
/// <param name="Path">Its path there; empty for the root itself.</param>
/// <param name="Status">Its attributes, with the owner that a container sees.</param>
/// <param name="Ids">Which ids of the host those are in the layer's directory.</param>
internal sealed record LowerEntry(SafeFileHandle Root, byte[] Path, FileStatus Status, IdMap Ids)
{
    /// <summary>Opens a regular file or directory for reading.</summary>
    internal SafeFileHandle Open() =>
        Libc.OpenAt2(
            Root, Path.Length == 0 ? "."u8 : Path,
            OpenFlags.NoFollow | OpenFlags.NonBlocking | (Status.IsDirectory ? OpenFlags.Directory : 0),
            ResolveFlags.Beneath | ResolveFlags.NoSymlinks);
}

/// <summary>Nothing is below: the layer is a base layer.</summary>
internal sealed class EmptyLowerView : ILowerView
{
    internal static readonly EmptyLowerView Instance = new();

    private EmptyLowerView()
    {
    }

    /// <inheritdoc/>
    public LowerEntry? Find(ReadOnlySpan<byte> path) => null;

    /// <inheritdoc/>
    public IReadOnlyList<byte[]> List(ReadOnlySpan<byte> directory) => [];
}
