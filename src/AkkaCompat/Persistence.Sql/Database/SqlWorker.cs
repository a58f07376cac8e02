using System.Collections.Concurrent;

namespace Akka.Persistence.Sql.Database;

/// <summary>A thread of its own with one connection. It opens the connection when there is something to do, and again after a fault.</summary>
internal sealed class SqlWorker : IDisposable
{
    private readonly BlockingCollection<SqlWork> _queue = [];
    private readonly SqlDialect _dialect;
    private readonly bool _writes;
    private readonly Thread _thread;
    private SqlSession? _session;
    private volatile int _batchRows = 1;

    /// <param name="dialect">The database.</param>
    /// <param name="name">The thread's name.</param>
    /// <param name="writes">Whether work runs in transactions, which waiting pieces of work share.</param>
    public SqlWorker(SqlDialect dialect, string name, bool writes)
    {
        (_dialect, _writes) = (dialect, writes);
        _thread = new Thread(Loop) { IsBackground = true, Name = name };
        _thread.Start();
    }

    /// <summary>How many rows one transaction may take together.</summary>
    public int BatchRows { set => _batchRows = Math.Max(_batchRows, value); }

    public Task<T> RunAsync<T>(int rows, Func<SqlSession, T> action)
    {
        var work = new SqlWork<T>(rows, action);
        _queue.Add(work);
        return work.Task;
    }

    /// <summary>Finishes all work that was accepted, then closes the connection.</summary>
    public void Dispose()
    {
        _queue.CompleteAdding();
        _thread.Join();
        _queue.Dispose();
    }

    private void Loop()
    {
        var batch = new List<SqlWork>();
        foreach (var first in _queue.GetConsumingEnumerable())
        {
            batch.Add(first);
            // While one transaction was made durable others have queued up: they share the next one, and its sync.
            for (var rows = first.Rows; _writes && rows < _batchRows && _queue.TryTake(out var next); rows += next.Rows) batch.Add(next);
            Run(batch);
            batch.Clear();
        }
        _session?.Dispose();
    }

    private void Run(List<SqlWork> batch, bool isRepeat = false)
    {
        var (reused, begun) = (_session is not null, false);
        try
        {
            _session ??= new SqlSession(_dialect);
            if (_writes) _session.Execute(_dialect.BeginWrite);
            begun = _writes;
            foreach (var work in batch) work.Run(_session);
            if (_writes) _session.Execute("COMMIT");
        }
        catch (Exception cause)
        {
            Recover();
            if (reused && !begun && _session is null)
                Run(batch, isRepeat);   // the connection had died while nobody used it
            else if (!isRepeat && _dialect.MayRepeat(cause))
                Run(batch, isRepeat: true);
            else if (batch.Count == 1 || _session is null)
                batch.ForEach(work => work.Fail(cause));
            else
                batch.ForEach(work => Run([work]));   // one actor's bad row must not fail the others
            return;
        }
        batch.ForEach(work => work.Complete());
    }

    /// <summary>Makes the connection usable again, or drops it.</summary>
    private void Recover()
    {
        if (_session is null) return;
        try
        {
            if (_writes && _session.IsOpen) _session.ExecuteOnce("ROLLBACK");
            if (_session.IsOpen) return;
        }
        catch (Exception)
        {
            // The connection's state is not known: a fresh one is.
        }
        var broken = _session;
        _session = null;
        try
        {
            broken.Dispose();
        }
        catch (Exception)
        {
            // It is broken, and nothing is left in it to lose.
        }
    }
}
