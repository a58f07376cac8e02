using StorageActors.Linux;

namespace StorageActors.Store;

/// <summary>
/// The file lock of law 2. Under it: check and rename, nothing slow. It is taken after <see cref="OwnerLock"/>, never while another section runs
/// on the same thread, and every wait and hold is measured. Safe to use from many threads; blocks the caller.
/// </summary>
internal sealed class StoreLock(string path, StoreMetrics metrics, TimeProvider time) : IDisposable
{
    private const string Name = "store";

    /// <summary>Threads of this process share one descriptor, which an OFD lock does not keep apart.</summary>
    private readonly Lock _gate = new();
    private FileLock? _file;

    /// <summary>Runs <paramref name="section"/> while nobody else runs one on this store.</summary>
    /// <param name="operation">What it is for: waits and holds are measured for each.</param>
    /// <param name="section">What is done under the lock.</param>
    internal T Under<T>(string operation, Func<T> section)
    {
        var asked = time.GetTimestamp();
        lock (_gate)
        {
            var file = Acquire();
            var taken = time.GetTimestamp();
            try
            {
                return section();
            }
            finally
            {
                Libc.UnlockWhole(file.File);
                metrics.LockUsed(Name, operation, time.GetElapsedTime(asked, taken), time.GetElapsedTime(taken));
            }
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

    private FileLock Acquire()
    {
        if (_file is { } known)
        {
            _file = null;
            try
            {
                Libc.LockWhole(known.File, exclusive: true);
                if (FileLock.Names(path, known.File)) return _file = known;
            }
            finally
            {
                // Somebody replaced the file, and what we hold excludes nobody; or it could not be found out.
                if (_file is null) known.Dispose();
            }
        }

        return _file = FileLock.Take(path);
    }
}
