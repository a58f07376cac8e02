using StorageActors.Linux;

namespace StorageActors.Archive.Processors;

/// <summary>
/// A thread's turn on a processor, for work that does nothing but compute on large blocks: decompression and digests. The process has as many turns as it has
/// processors; who comes later sleeps until one is free, in the order of coming.
/// </summary>
/// <remarks>
/// Eight layers that come in at once have two dozen threads that could run. Without turns all of them stand before a processor, and whoever has a
/// microsecond's work, an actor or the caller of a mount, waits behind each of them for a slice of milliseconds. The layers are not done sooner for it.
/// Nothing that may block belongs into a turn, nor anything that may start a thread, which would inherit how a turn runs: <see cref="Leave"/> it for that.
/// </remarks>
internal static class ProcessorTurn
{
    /// <summary>Long beside the kernel's 1 to 3 ms: who wakes up meanwhile asks for less, and goes first.</summary>
    private static readonly TimeSpan Slice = TimeSpan.FromMilliseconds(20);

    private static readonly object Gate = new();
    private static int _free = Environment.ProcessorCount;
    private static int _waiting;

    [ThreadStatic]
    private static bool _isMine;

    /// <summary>Waits for a turn; disposing gives it up. A thread has one at a time.</summary>
    internal static Held Take()
    {
        Enter();
        return default;
    }

    /// <summary>Gives up this thread's turn, if it has one, for as long as it waits for something else; disposing waits for another.</summary>
    internal static Left Leave()
    {
        if (!_isMine) return default;
        Exit();
        return new Left(true);
    }

    private static void Enter()
    {
        lock (Gate)
        {
            // Nobody passes those who wait: the one who has just given up a turn is back here first.
            if (_free == 0 || _waiting > 0)
            {
                _waiting++;
                do Monitor.Wait(Gate);
                while (_free == 0);
                _waiting--;
            }

            _free--;
            if (_free > 0 && _waiting > 0) Monitor.Pulse(Gate);
        }

        _isMine = true;
        Libc.TrySetSlice(Slice);
    }

    private static void Exit()
    {
        Libc.TrySetSlice(TimeSpan.Zero);
        _isMine = false;
        lock (Gate)
        {
            _free++;
            if (_waiting > 0) Monitor.Pulse(Gate);
        }
    }

    /// <summary>A turn that a thread has.</summary>
    internal readonly ref struct Held
    {
        /// <summary>Gives it up.</summary>
        public void Dispose() => Exit();
    }

    /// <summary>A turn that a thread has given up for a while.</summary>
    internal readonly ref struct Left(bool had)
    {
        /// <summary>Waits for another one, if there was one.</summary>
        public void Dispose()
        {
            if (had) Enter();
        }
    }
}
