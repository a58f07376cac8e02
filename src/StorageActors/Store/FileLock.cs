using Microsoft.Win32.SafeHandles;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Store;

/// <summary>What came of an attempt to take a lock.</summary>
internal enum LockAttempt
{
    /// <summary>It is ours.</summary>
    Taken,

    /// <summary>Somebody alive has it.</summary>
    Held,

    /// <summary>There is no such file.</summary>
    Missing,
}

/// <summary>
/// An exclusive open-file-description lock on a whole file, held until it is disposed. It excludes other processes, and other descriptors of this
/// one. The file that is locked is the one that the path names: somebody who deletes a lock file while we wait for it leaves us a lock on nothing,
/// so the inode is compared afterwards, and the lock taken again.
/// </summary>
internal sealed class FileLock : IDisposable
{
    private const int MaximumRounds = 1000;

    private FileLock(string path, SafeFileHandle file) => (Path, File) = (path, file);

    internal string Path { get; }

    /// <summary>The locked file, open for reading and writing.</summary>
    internal SafeFileHandle File { get; }

    /// <summary>Takes the lock if nobody has it. Without <paramref name="create"/> a missing file is an answer.</summary>
    internal static LockAttempt TryTake(string path, bool create, out FileLock? taken)
    {
        for (var round = 0; round < MaximumRounds; round++)
        {
            taken = null;
            var file = Open(path, create);
            if (file is null) return LockAttempt.Missing;
            try
            {
                if (!Libc.TryLockWhole(file, exclusive: true)) return LockAttempt.Held;
                if (!Names(path, file)) continue;
                taken = new FileLock(path, file);
                return LockAttempt.Taken;
            }
            finally
            {
                if (taken is null) file.Dispose();
            }
        }

        throw Unstable(path);
    }

    /// <summary>Waits for the lock and takes it, creating the file. Blocks its thread.</summary>
    internal static FileLock Take(string path)
    {
        for (var round = 0; round < MaximumRounds; round++)
        {
            var file = Open(path, create: true)!;
            try
            {
                Libc.LockWhole(file, exclusive: true);
                if (Names(path, file))
                {
                    var taken = new FileLock(path, file);
                    file = null;
                    return taken;
                }
            }
            finally
            {
                file?.Dispose();
            }
        }

        throw Unstable(path);
    }

    /// <summary>Whether the path names this very file, still.</summary>
    internal static bool Names(string path, SafeFileHandle file) =>
        Libc.TryStat(path, out var named) == Errno.None && named.IsSameFile(Libc.FStat(file));

    /// <summary>
    /// Gives the lock back. Closing the descriptor would not be enough: a program that this process starts at this moment has a copy of it until it has begun to
    /// be that program.
    /// </summary>
    public void Dispose()
    {
        if (!File.IsClosed) Libc.UnlockWhole(File);
        File.Dispose();
    }

    private static SafeFileHandle? Open(string path, bool create)
    {
        var flags = OpenFlags.ReadWrite | OpenFlags.NoFollow | (create ? OpenFlags.Create : OpenFlags.ReadOnly);
        var errno = Libc.TryOpen(path, flags, 0x180, out var file);
        if (errno == Errno.None) return file;
        if (errno == Errno.ENOENT && !create) return null;
        throw new LinuxException("open", path, errno, flags: flags.ToText());
    }

    private static StorageException Unstable(string path) =>
        new(new StorageError(StorageErrorCode.Io, "lock", $"the lock file was replaced {MaximumRounds} times while it was being locked", path));
}
