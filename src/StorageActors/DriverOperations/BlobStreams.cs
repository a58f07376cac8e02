using Microsoft.Win32.SafeHandles;
using StorageActors.Drivers;
using StorageActors.Linux;
using StorageActors.Protocol;
using StorageActors.Transfers;

namespace StorageActors.DriverOperations;

/// <summary>Opens the stream that a <see cref="BlobSource"/> names.</summary>
internal static class BlobStreams
{
    private const int NoBuffer = 0;

    /// <summary>The bytes of a blob, for the thread that opens them.</summary>
    /// <exception cref="PermanentDriverException">The source names nothing that can be read.</exception>
    internal static Stream OpenSource(BlobSource source, TransferTable transfers, CancellationToken stop)
    {
        if (source.Offset < 0 || source.Length < 0) throw Refuse(StorageErrorCode.InvalidArgument, "a source's offset and length are not negative", source.Path);
        var stream = source switch
        {
            { Path: { } path, Upload: null } => OpenFile(path, source.Offset),
            { Path: null, Upload: { } upload } => transfers.ClaimUpload(upload, stop),
            _ => throw Refuse(StorageErrorCode.InvalidArgument, "a source is either a file or an upload", source.Path),
        };
        return source.Length is { } length ? new SegmentStream(stream, length) : stream;
    }

    private static FileStream OpenFile(string path, long offset)
    {
        if (!Path.IsPathFullyQualified(path)) throw Refuse(StorageErrorCode.InvalidArgument, "a source's path must be absolute", path);
        // Not File.OpenHandle, which takes a flock; and without waiting for the writer of a pipe that is named by mistake.
        var errno = Libc.TryOpen(path, OpenFlags.ReadOnly | OpenFlags.NonBlocking, 0, out var file);
        if (errno == Errno.ENOENT) throw Refuse(StorageErrorCode.NotFound, "there is no such file", path, errno);
        if (errno != Errno.None) throw Refuse(CodeOf(errno, path), $"it cannot be opened: {LinuxException.Describe(errno)}", path, errno);
        try
        {
            if (!Libc.FStat(file).IsRegular) throw Refuse(StorageErrorCode.InvalidArgument, "it is no regular file; send it as an upload", path);
            Libc.FAdvise(file, offset, 0, FileAdvice.Sequential);
            var stream = new FileStream(file, FileAccess.Read, NoBuffer);
            // A regular file can be positioned in: what the runtime takes for a pipe is one whose disk has just failed.
            if (!stream.CanSeek) throw Refuse(StorageErrorCode.Io, "it cannot be read; see the kernel's log (dmesg)", path, Errno.EIO);
            stream.Position = offset;
            return stream;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>A file of somebody else's, so what the table says of the store's own does not hold for it; but want of descriptors or memory is ours.</summary>
    private static StorageErrorCode CodeOf(Errno errno, string path) =>
        DriverErrors.Translate(new LinuxException("open", path, errno), "open blob", path) is TransientDriverException transient ? transient.Error.Code : StorageErrorCode.Io;

    private static PermanentDriverException Refuse(StorageErrorCode code, string what, string? path, Errno errno = Errno.None) =>
        new(new StorageError(code, "open blob", path is null ? what : $"{path}: {what}", path, errno == Errno.None ? null : errno.ToString()));
}
