using StorageActors.Linux;

namespace StorageActors.Drivers.Aufs;

/// <summary>
/// A few threads whose working directory is the driver's home, so that mounts can name layers by it: the options then have the same length
/// whatever the store's root is called, and none of the characters that aufs cannot have in a path.
/// </summary>
internal sealed class MountThreads : IDisposable
{
    private const int Count = 4;

    private readonly PrivateThread[] _threads = new PrivateThread[Count];
    private int _next;
    private bool _isDisposed;

    internal MountThreads(string home)
    {
        for (var i = 0; i < Count; i++) _threads[i] = new PrivateThread($"aufs mounts {i + 1}");
        try
        {
            foreach (var thread in _threads) thread.Run(() => Libc.ChDir(home)).GetAwaiter().GetResult();
        }
        catch (Exception)
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Runs it on one of them and waits for it.</summary>
    internal void Run(Action action) =>
        _threads[(uint)Interlocked.Increment(ref _next) % Count].Run(action).GetAwaiter().GetResult();

    public void Dispose()
    {
        if (_isDisposed) return;
        _isDisposed = true;
        foreach (var thread in _threads)
        {
            // The threads end by themselves, but the file system may be wanted back before.
            thread.Run(() => Libc.ChDir("/")).GetAwaiter().GetResult();
            thread.Dispose();
        }
    }
}
