using Microsoft.Win32.SafeHandles;
using StorageActors.Archive.Apply;
using StorageActors.Archive.Tar;
using StorageActors.Archive.TarSplit;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Archive.Diff;

/// <summary>Writes the very archive that a layer was made from, out of its record and its files.</summary>
internal static class ExactDiff
{
    /// <summary>Writes the archive; each file's content is checked on the way, and the whole against <paramref name="expected"/> at the end.</summary>
    /// <returns>Null when the layer has no record.</returns>
    /// <exception cref="TarSplitException">A file is not what the archive had.</exception>
    internal static TarSummary? Write(SafeFileHandle root, SafeFileHandle layerDirectory, Stream output, Digest? expected, CancellationToken stop)
    {
        using var record = OpenRecord(layerDirectory);
        if (record is null) return null;
        var (digest, length) = TarSplitAssembler.Assemble(record, new LayerFiles(root, stop), output, expected);
        return new TarSummary(digest, length, 0, [], [], []);
    }

    /// <summary>Opens a layer's record; null when it has none.</summary>
    internal static FileStream? OpenRecord(SafeFileHandle layerDirectory)
    {
        var errno = Libc.TryOpenAt(
            layerDirectory, System.Text.Encoding.ASCII.GetBytes(ExtractTarget.RecordName), OpenFlags.ReadOnly | OpenFlags.NoFollow, 0, out var file);
        if (errno == Errno.None) return new FileStream(file, FileAccess.Read, 1 << 16);
        file.Dispose();
        return errno == Errno.ENOENT ? null : throw Libc.Failure("openat", layerDirectory, "tar-split.json.gz"u8, errno);
    }
}

/// <summary>Files of a layer by the names that its archive gave them.</summary>
internal sealed class LayerFiles(SafeFileHandle root, CancellationToken stop) : IPayloadSource
{
    private readonly ByteBuffer _scratch = new();

    /// <inheritdoc/>
    public SafeFileHandle Open(ReadOnlySpan<byte> name)
    {
        stop.ThrowIfCancellationRequested();
        var path = LayerPath.Clean(name, _scratch, out var fault);
        if (fault is not null) throw new TarSplitException(fault, PathText.Escape(name));
        var errno = Libc.TryOpenAt2(
            root, path, OpenFlags.ReadOnly | OpenFlags.NoFollow | OpenFlags.NonBlocking, ResolveFlags.Beneath | ResolveFlags.NoSymlinks, 0, out var file);
        if (errno == Errno.None) return file;
        file.Dispose();
        if (errno is Errno.ENOENT or Errno.ENOTDIR or Errno.ELOOP) throw new TarSplitException("the file is missing", PathText.Escape(name));
        throw Libc.Failure("openat2", root, path, errno);
    }
}
