using System.Text;
using StorageActors.Archive.Compression;
using StorageActors.Drivers;
using StorageActors.Linux;
using StorageActors.Protocol;
using StorageActors.Transfers;

namespace StorageActors.DriverOperations;

/// <summary>Writes to what a <see cref="BlobTarget"/> names: all of it, or nothing that passes for all.</summary>
internal static class BlobTargets
{
    private const uint Readable = 0x1A4; // 0644, less the process's umask

    /// <summary>
    /// Runs <paramref name="write"/> on the target. A file appears under its name when it is complete, and, where <paramref name="durable"/>, on the disk; a character
    /// device is written to as it is, never replaced. The reader of a download gets an error in place of the end when the writing fails.
    /// </summary>
    internal static TResult Write<TResult>(
        BlobTarget target, TransferTable transfers, bool durable, Func<Stream, TResult> write, CancellationToken stop) => target switch
    {
        { Path: { } path, Download: null } => WriteFile(path, durable, write),
        { Path: null, Download: { } download } => WriteDownload(transfers.ClaimDownload(download, stop), write),
        _ => throw Refuse("a target is either a file or a download", target.Path),
    };

    private static TResult WriteFile<TResult>(string path, bool durable, Func<Stream, TResult> write)
    {
        if (!Path.IsPathFullyQualified(path)) throw Refuse($"{path}: the path must be absolute", path);
        if (Libc.TryStat(path, out var there, AtFlags.None) == Errno.None && !there.IsRegular)
            return there.Type == FileType.CharacterDevice ? WriteDevice(path, write) : throw Refuse($"{path}: it is a {there.Type}, not a file", path);
        var (home, temporary) = (Path.GetDirectoryName(path) ?? throw Refuse($"{path}: it is a directory", path), $".{TicketId.New().Value}.tmp");
        try
        {
            return WriteFile(home, Encoding.UTF8.GetBytes(temporary), Encoding.UTF8.GetBytes(Path.GetFileName(path)), durable, write);
        }
        catch (LinuxException e) when (Advice(e.Errno) is not null && (e.Path == home || e.Path.Contains(temporary, StringComparison.Ordinal)))
        {
            // What is to be done about the store is no help here.
            throw new PermanentDriverException(new StorageError(DriverErrors.CodeOf(e.Errno), "write", $"{e.Message}. {Advice(e.Errno)}", path, e.Errno.ToString()), e);
        }
    }

    private static TResult WriteFile<TResult>(string home, byte[] temporary, byte[] name, bool durable, Func<Stream, TResult> write)
    {
        using var directory = Libc.OpenDirectory(home);
        var file = Libc.OpenAt(directory, temporary, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Exclusive, Readable);
        var made = temporary;
        try
        {
            TResult result;
            using (var stream = new DescriptorStream(file))
            {
                result = write(stream);
                if (durable) Libc.FSync(file);
            }

            Libc.RenameAt2(directory, temporary, directory, name);
            made = name;
            if (durable) Libc.FSync(directory);
            return result;
        }
        catch
        {
            file.Dispose();
            Libc.TryUnlinkAt(directory, made);
            throw;
        }
    }

    /// <summary>What to do about a file that cannot be written; null where there is no more to say than of any other.</summary>
    private static string? Advice(Errno errno) => errno switch
    {
        Errno.ENOENT or Errno.ENOTDIR => "Make the directory, or write elsewhere.",
        Errno.ENOSPC or Errno.EDQUOT => "Free space where it goes, and repeat.",
        Errno.EACCES or Errno.EPERM or Errno.EROFS => "Write where this process may.",
        _ => null,
    };

    /// <summary>Like <c>/dev/null</c>: a file in its place would take it from everybody.</summary>
    private static TResult WriteDevice<TResult>(string path, Func<Stream, TResult> write)
    {
        using var stream = new FileStream(Libc.Open(path, OpenFlags.WriteOnly), FileAccess.Write, bufferSize: 0);
        try
        {
            return write(stream);
        }
        catch (IOException e) when (e is not LinuxException)
        {
            throw new PermanentDriverException(new StorageError(StorageErrorCode.Io, "write", $"write \"{path}\": {e.Message}", path), e);
        }
    }

    private static TResult WriteDownload<TResult>(TransferWriteStream download, Func<Stream, TResult> write)
    {
        using (download)
        {
            try
            {
                return write(download);
            }
            catch (Exception e)
            {
                download.Abort(e);
                throw;
            }
        }
    }

    private static PermanentDriverException Refuse(string what, string? path) =>
        new(new StorageError(StorageErrorCode.InvalidArgument, "write", what, path));
}
