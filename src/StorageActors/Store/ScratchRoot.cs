using System.Text;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Store;

/// <summary>
/// A root that is there for as long as a question takes, for a driver to try what a store could be. It is locked, so that whoever sweeps beside it leaves it alone, and takes it away
/// when this process has died.
/// </summary>
internal sealed class ScratchRoot : IDisposable
{
    private const string Prefix = ".storage-actors-";
    private const int Digits = 32;
    private const int MaximumRounds = 1000;

    private readonly FileLock _lock;

    private ScratchRoot(string path, FileLock held) => (Path, _lock) = (path, held);

    internal string Path { get; }

    /// <summary>Makes one in a directory.</summary>
    internal static ScratchRoot Make(string directory)
    {
        for (var round = 0; round < MaximumRounds; round++)
        {
            var path = System.IO.Path.Combine(directory, $"{Prefix}{Guid.NewGuid():N}");
            try
            {
                StoreRoot.MakeEmpty(path);
                return new ScratchRoot(path, FileLock.Take(LockOf(path)));
            }
            catch (LinuxException e) when (e.Errno == Errno.ENOENT && Directory.Exists(directory))
            {
                // A sweeper was faster: it takes one that is not locked yet for a dead process's.
            }
            catch
            {
                TryRemove(path);
                throw;
            }
        }

        throw new StorageException(new StorageError(StorageErrorCode.Io, "open store", $"{MaximumRounds} directories were swept away while they were made", directory));
    }

    /// <summary>Takes away what processes of this user left in a directory when they died. Best effort: it is hidden, and in nobody's way.</summary>
    internal static void Sweep(string directory)
    {
        try
        {
            var found = new List<string>();
            DirectoryNames.All(directory, name =>
            {
                if (IsOne(name)) found.Add(System.IO.Path.Combine(directory, name));
                return true;
            });
            found.ForEach(SweepOne);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Somebody else sweeps here, or nobody may.
        }
    }

    /// <summary>Takes it away with all in it.</summary>
    internal void Remove() => Remove(Path);

    /// <summary>As <see cref="Remove()"/>, where something else went wrong that matters more.</summary>
    internal void TryRemove() => TryRemove(Path);

    /// <summary>Gives the lock back; what is still there, the next sweep takes away.</summary>
    public void Dispose() => _lock.Dispose();

    private static void SweepOne(string path)
    {
        try
        {
            TrySweepOne(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or StorageException)
        {
            // One with something else in place of its lock keeps nobody from sweeping the others.
        }
    }

    private static void TrySweepOne(string path)
    {
        if (Libc.TryStat(path, out var status) != Errno.None || !status.IsDirectory || status.UserId != Libc.GetEuid()) return;
        switch (FileLock.TryTake(LockOf(path), create: false, out var held))
        {
            case LockAttempt.Taken:
                using (held) TryRemove(path);
                break;
            case LockAttempt.Missing:
                // Only if it is empty: its maker is about to lock it, or died before.
                Libc.TryUnlinkAt(Libc.CurrentDirectory, Encoding.UTF8.GetBytes(path), AtFlags.RemoveDirectory);
                break;
            default:
                break;
        }
    }

    private static bool IsOne(string name) =>
        name.Length == Prefix.Length + Digits && name.StartsWith(Prefix, StringComparison.Ordinal) && !name.AsSpan(Prefix.Length).ContainsAnyExcept("0123456789abcdef");

    private static string LockOf(string path) => System.IO.Path.Combine(path, "lock");

    private static void Remove(string path) => DirectoryTree.Remove(Libc.CurrentDirectory, Encoding.UTF8.GetBytes(path));

    private static void TryRemove(string path)
    {
        try
        {
            Remove(path);
        }
        catch (LinuxException)
        {
            // Where nothing can be made nothing can be removed either.
        }
    }
}
