namespace StorageActors.Node.Server;

/// <summary>Counts what is being served, so that a stop can wait for it.</summary>
internal sealed class InFlight
{
    private readonly Lock _gate = new();
    private readonly List<TaskCompletionSource> _waiting = [];
    private int _count;

    /// <summary>Counts one until the result is disposed.</summary>
    internal IDisposable Enter()
    {
        lock (_gate) _count++;
        return new Running(this);
    }

    /// <summary>Completes when nothing is being served.</summary>
    internal Task WhenIdleAsync()
    {
        lock (_gate)
        {
            if (_count == 0) return Task.CompletedTask;
            var idle = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Add(idle);
            return idle.Task;
        }
    }

    private void Leave()
    {
        lock (_gate)
        {
            if (--_count > 0) return;
            foreach (var idle in _waiting) idle.SetResult();
            _waiting.Clear();
        }
    }

    private sealed class Running(InFlight owner) : IDisposable
    {
        public void Dispose() => owner.Leave();
    }
}
