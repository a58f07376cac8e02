using System.Text;
using Microsoft.Win32.SafeHandles;
using StorageActors.Linux;

namespace StorageActors.Store;

/// <summary>
/// The file lock of law 2. Under it: check and rename, nothing slow. It is taken after <see cref="OwnerLock"/>, never while another section runs
/// on the same thread, and every wait and hold is measured, and what is rehearsed. Safe to use from many threads; blocks the caller.
/// <para>
/// Who is about to have all others wait is not kept from the processor meanwhile: where he may, his thread goes before others until the lock is given back. It computes for some
/// 50 µs, and else waits a whole turn of each thread that extracts layers.
/// </para>
/// </summary>
internal sealed class StoreLock(string path, StoreMetrics metrics, TimeProvider time) : IDisposable
{
    private const string Name = "store";

    /// <summary>Threads of this process share one descriptor, which an OFD lock does not keep apart.</summary>
    private readonly Lock _gate = new();
    private readonly byte[] _path = Encoding.UTF8.GetBytes(path);
    private FileLock? _file;

    /// <summary>What <see cref="Rehearse"/> makes and removes at once. One that a death left means nothing; the next rehearsal there and the next sweep remove it.</summary>
    internal static ReadOnlySpan<byte> RehearsalName => ".rehearsal"u8;

    /// <summary>Whether something is no more than that.</summary>
    internal static bool IsRehearsal(string name) => Ascii.Equals(RehearsalName, name);

    /// <summary>
    /// Changes each of these directories, and takes it back, before a section in which something is renamed from one to another. A change waits for the file system's journal: for
    /// a transaction that is being closed until all who are changing something are done, for a block of the directory until the disk has it. Who has just changed the directory
    /// has waited for that, and need not with the lock in hand. Nothing depends on it, so nothing that goes wrong matters.
    /// </summary>
    /// <param name="directories">The directories, on the store's file system.</param>
    internal void Rehearse(params ReadOnlySpan<SafeFileHandle> directories)
    {
        if (directories.IsEmpty) return;
        // Another name for a file that there is: a new file would take an inode, and with it more locks of the file system's.
        foreach (var directory in directories) Libc.TryLinkAt(Libc.CurrentDirectory, _path, directory, RehearsalName);
        CrashPoint.Reached(CrashPoint.Rehearsed);
        foreach (var directory in directories) TryTakeBack(directory);
    }

    /// <summary>Removes what is left of a rehearsal, of whomever; a sweep does it where somebody died, or this did not work.</summary>
    internal static void TryTakeBack(SafeFileHandle directory)
    {
        // Somebody else who has it already has made the same change. Anything else may pass: what is renamed next should not take it along.
        if (Libc.TryUnlinkAt(directory, RehearsalName) is not (Errno.None or Errno.ENOENT)) Libc.TryUnlinkAt(directory, RehearsalName);
    }

    /// <summary>Runs <paramref name="section"/> while nobody else runs one on this store.</summary>
    /// <param name="operation">What it is for: rehearsals, waits and holds are measured for each.</param>
    /// <param name="section">What is done under the lock.</param>
    /// <param name="directories">Those between which it renames something: see <see cref="Rehearse"/>.</param>
    internal T Under<T>(string operation, Func<T> section, params ReadOnlySpan<SafeFileHandle> directories)
    {
        var (began, asked, taken, given) = (0L, 0L, 0L, 0L);
        var rehearses = !directories.IsEmpty;
        var isFirst = Libc.TryGoFirst(out var usual);
        try
        {
            if (rehearses)
            {
                began = time.GetTimestamp();
                Rehearse(directories);
            }

            asked = time.GetTimestamp();
            lock (_gate)
            {
                var file = Acquire(out taken);
                try
                {
                    return section();
                }
                finally
                {
                    Libc.UnlockWhole(file.File);
                    given = time.GetTimestamp();
                }
            }
        }
        finally
        {
            // All this when nobody waits for it any more.
            if (isFirst) Libc.GoAsUsual(usual);
            if (given != 0) metrics.LockUsed(Name, operation, rehearses ? time.GetElapsedTime(began, asked) : null, time.GetElapsedTime(asked, taken), time.GetElapsedTime(taken, given));
        }
    }

    /// <summary>As <see cref="Under{T}"/>, for what has no result.</summary>
    internal void Under(string operation, Action section) => Under(operation, () =>
    {
        section();
        return true;
    });

    public void Dispose()
    {
        lock (_gate)
        {
            _file?.Dispose();
            _file = null;
        }
    }

    /// <param name="taken">When others began to wait: what is looked at with the lock in hand is a part of the hold.</param>
    private FileLock Acquire(out long taken)
    {
        if (_file is { } known)
        {
            _file = null;
            try
            {
                Libc.LockWhole(known.File, exclusive: true);
                taken = time.GetTimestamp();
                if (FileLock.Names(path, known.File)) return _file = known;
            }
            finally
            {
                // Somebody replaced the file, and what we hold excludes nobody; or it could not be found out.
                if (_file is null) known.Dispose();
            }
        }

        _file = FileLock.Take(path);
        taken = time.GetTimestamp();
        return _file;
    }
}
