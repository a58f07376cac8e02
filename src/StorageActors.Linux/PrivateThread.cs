using System.Threading.Channels;

namespace StorageActors.Linux;

/// <summary>
/// A thread with a working directory and umask of its own, which runs what it is given, one after the other, in order. It is
/// never a pool's thread and never becomes one, so nobody else can meet the directory it left behind.
/// </summary>
internal sealed class PrivateThread : IDisposable
{
    private readonly Channel<Action> _work = Channel.CreateUnbounded<Action>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Thread _thread;
    private Errno _unshare;   // written by the thread before it runs anything

    internal PrivateThread(string name)
    {
        _thread = new Thread(Run) { IsBackground = true, Name = name };
        _thread.Start();
    }

    /// <summary>Whether the caller is on this thread.</summary>
    internal bool IsCurrent => Thread.CurrentThread == _thread;

    /// <summary>Runs it after what was given before. Its exception, or that the thread has no directory of its own, ends in the task.</summary>
    internal Task<T> Run<T>(Func<T> action)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        var accepted = _work.Writer.TryWrite(() =>
        {
            try
            {
                if (_unshare != Errno.None) throw new LinuxException("unshare", "", _unshare, flags: "CLONE_FS");
                done.SetResult(action());
            }
            catch (Exception error)
            {
                done.SetException(error);
            }
        });
        return accepted ? done.Task : Task.FromException<T>(new ObjectDisposedException(_thread.Name));
    }

    /// <summary>As <see cref="Run{T}"/>, for what has no result.</summary>
    internal Task Run(Action action) => Run(() =>
    {
        action();
        return true;
    });

    /// <summary>Takes no more work; what was accepted is still done, and nobody waits for it here.</summary>
    public void Dispose() => _work.Writer.TryComplete();

    private void Run()
    {
        _unshare = Libc.TryUnshareFs();
        using var arrived = new ManualResetEventSlim();
        while (true)
        {
            while (_work.Reader.TryRead(out var action)) action();
            if (_work.Reader.Completion.IsCompleted) return;
            arrived.Reset();
            var wait = _work.Reader.WaitToReadAsync();
            wait.ConfigureAwait(false).GetAwaiter().OnCompleted(arrived.Set);
            arrived.Wait();
        }
    }
}
