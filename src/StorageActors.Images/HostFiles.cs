using StorageActors.Drivers;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Images;

/// <summary>Files outside of the store, which the runtime reads and writes: what goes wrong with them is told as the store tells its own errors.</summary>
internal static class HostFiles
{
    private const int LargestErrno = 4095;

    /// <summary>Runs something; what the runtime throws of files comes out as a <see cref="StorageException"/>.</summary>
    internal static async Task<T> GuardAsync<T>(string operation, string path, Func<Task<T>> body)
    {
        try
        {
            return await body().ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            var errno = ErrnoOf(e);
            throw new StorageException(new StorageError(CodeOf(errno), operation, e.Message, path, errno == Errno.None ? null : errno.ToString()), e);
        }
    }

    /// <summary>Returns when the disk has a file, or the names in a directory; at once where the file system knows no such thing, or we may not open it.</summary>
    internal static void Sync(string path)
    {
        try
        {
            using var file = Libc.Open(path, OpenFlags.ReadOnly);
            Libc.FSync(file);
        }
        catch (LinuxException e) when (e.Errno is Errno.EACCES or Errno.EINVAL or Errno.EOPNOTSUPP or Errno.EROFS)
        {
            // A parent that only takes names, a file of the node's user, a file system without: then it cannot be had.
        }
    }

    /// <summary>Deletes a directory of ours as far as it goes; a second try, since what is in it may just have failed once.</summary>
    internal static void DeleteDirectory(string path)
    {
        for (var attempt = 0; attempt < 2 && Directory.Exists(path); attempt++)
        {
            try
            {
                Directory.Delete(path, recursive: true);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // The error that led here is the one to be told.
            }
        }
    }

    /// <summary>What the machine is short of is the same for every file; all else is a fault of the caller's own.</summary>
    private static StorageErrorCode CodeOf(Errno errno) =>
        DriverErrors.CodeOf(errno) is var code and (StorageErrorCode.NoSpace or StorageErrorCode.Busy or StorageErrorCode.InUse) ? code : StorageErrorCode.Io;

    /// <summary>The runtime keeps the number of the failed call where it has no exception of its own for it.</summary>
    private static Errno ErrnoOf(Exception e) => e switch
    {
        LinuxException linux => linux.Errno,
        IOException { HResult: > 0 and <= LargestErrno } io => (Errno)io.HResult,
        UnauthorizedAccessException => Errno.EACCES,
        _ => Errno.None,
    };
}
