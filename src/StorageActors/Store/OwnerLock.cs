using System.Text.Json;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Store;

/// <summary>Who serves a store: the content of <c>owner.lock</c>, true as long as its lock is held.</summary>
/// <param name="Pid">The process.</param>
/// <param name="StartTime">When it started, in clock ticks since boot: tells it from a later one with the same number.</param>
/// <param name="Socket">Where it listens, if it does.</param>
/// <param name="OwnJournal">Whether all that it shows is in a journal that is the store's own file, for those who read that beside it.</param>
internal sealed record StoreOwner(int Pid, long? StartTime, string? Socket, bool? OwnJournal = null);

/// <summary>
/// Held while an engine owns the store; the first lock to be taken and the last to be given back. The file says who the owner is, so that a second
/// engine can say it to its user, and a command can find the node to talk to. Its content means nothing without its lock,
/// so it stays when the owner goes; only with a root that was made in vain it is deleted.
/// </summary>
internal sealed class OwnerLock : IDisposable
{
    private const int MaximumLength = 8 * 1024;
    private readonly FileLock _lock;

    private OwnerLock(FileLock held) => _lock = held;

    /// <summary>Becomes the owner of the store in <paramref name="root"/>, a directory that exists.</summary>
    /// <exception cref="StorageException">In use: somebody else is; the error names him.</exception>
    internal static OwnerLock Take(string root, string? socket, bool ownJournal = true)
    {
        var path = StoreLayout.OwnerLockOf(root);
        if (FileLock.TryTake(path, create: true, out var held) != LockAttempt.Taken) throw new StorageException(Owned(root, path));
        try
        {
            Write(held!, new StoreOwner(Environment.ProcessId, ProcFs.StartTime(Environment.ProcessId), socket, ownJournal));
            return new OwnerLock(held!);
        }
        catch
        {
            held!.Dispose();
            throw;
        }
    }

    /// <summary>Who owns the store now; null when nobody does, or there is none. Takes no lock, so that nobody is kept from becoming the owner.</summary>
    internal static StoreOwner? Find(string root)
    {
        var path = StoreLayout.OwnerLockOf(root);
        var errno = Libc.TryOpen(path, OpenFlags.ReadOnly | OpenFlags.NoFollow, 0, out var file);
        using (file)
        {
            if (errno == Errno.ENOENT) return null;
            if (errno != Errno.None) throw new LinuxException("open", path, errno);
            return Libc.FindLockHolder(file) is null ? null : Read(root) ?? new StoreOwner(0, null, null);
        }
    }

    public void Dispose() => _lock.Dispose();

    private static void Write(FileLock held, StoreOwner owner)
    {
        // In place: a rename would put another file under the name, and our lock on none.
        Libc.FTruncate(held.File, 0);
        Libc.PWriteAll(held.File, StoreOwnerJson.Write(owner), 0);
    }

    private static StoreOwner? Read(string root)
    {
        using var directory = Libc.OpenDirectory(root);
        try
        {
            return StoreOwnerJson.Read(AtomicFile.Read(directory, "owner.lock"u8, MaximumLength));
        }
        catch (JsonException)
        {
            return null; // It has the lock, and is about to write who it is.
        }
    }

    private static StorageError Owned(string root, string path)
    {
        var owner = Read(root);
        var who = owner is null ? "another process" : $"process {owner.Pid}";
        var where = owner?.Socket is { } socket ? $" (socket {socket})" : "";
        var advice = owner?.Socket is null ? "stop it, or use another root" : "talk to it through its socket, stop it, or use another root";
        return new StorageError(StorageErrorCode.InUse, "open store", $"the store is owned by {who}{where}; {advice}", path, Reason: StorageErrorReason.StoreOwned);
    }
}
