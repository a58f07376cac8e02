using System.Collections.Concurrent;

namespace StorageActors.Linux;

/// <summary>
/// A thread with a working directory and umask of its own, which runs what it is given, one after the other, in order. It is
/// never a pool's thread and never becomes one, so nobody else can meet the directory it left behind.
/// </summary>
/// <remarks>
/// A thread that is started from here shares this directory, and completing a task may start one of the pool's. So a second,
/// ordinary thread completes the tasks; and what runs here must not start threads or tasks, or send messages to actors.
/// </remarks>
internal sealed class PrivateThread : IDisposable
{
    private readonly BlockingCollection<Action> _work = [];
    private readonly BlockingCollection<Action> _completions = [];
    private readonly Thread _thread;
    private Errno _unshare;   // written by the thread before it runs anything

    internal PrivateThread(string name)
    {
        _thread = new Thread(Work) { IsBackground = true, Name = name };
        _thread.Start();
        new Thread(Complete) { IsBackground = true, Name = name + " completions" }.Start();
    }

    /// <summary>Whether the caller is on this thread.</summary>
    internal bool IsCurrent => Thread.CurrentThread == _thread;

    /// <summary>Runs it after what was given before. Its exception, or that the thread has no directory of its own, ends in the task.</summary>
    internal Task<T> Run<T>(Func<T> action)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            _work.Add(() => _completions.Add(Outcome(action, done)));
        }
        catch (InvalidOperationException)   // no more work is taken
        {
            return Task.FromException<T>(new ObjectDisposedException(_thread.Name));
        }
        return done.Task;
    }

    /// <summary>As <see cref="Run{T}"/>, for what has no result.</summary>
    internal Task Run(Action action) => Run(() =>
    {
        action();
        return true;
    });

    /// <summary>Takes no more work; what was accepted is still done, and nobody waits for it here.</summary>
    public void Dispose() => _work.CompleteAdding();

    private Action Outcome<T>(Func<T> action, TaskCompletionSource<T> done)
    {
        try
        {
            if (_unshare != Errno.None) throw new LinuxException("unshare", "", _unshare, flags: "CLONE_FS");
            var result = action();
            return () => done.SetResult(result);
        }
        catch (Exception error)
        {
            return () => done.SetException(error);
        }
    }

    private void Work()
    {
        _unshare = Libc.TryUnshareFs();
        foreach (var action in _work.GetConsumingEnumerable()) action();
        // The runtime's own helper threads may have been started here: they must not keep a file system busy.
        if (_unshare == Errno.None) Libc.ChDir("/");
        _completions.CompleteAdding();
    }

    private void Complete()
    {
        foreach (var completion in _completions.GetConsumingEnumerable()) completion();
    }
}
