namespace Akka.Persistence.Sql.Database;

/// <summary>A database as all plugins of this process share it: one writer, one reader.</summary>
/// <remarks>A journal and a snapshot store that wrote to one SQLite file by themselves would block each other.</remarks>
internal sealed class SqlDatabase : IDisposable
{
    private static readonly Dictionary<string, SqlDatabase> Open = new(StringComparer.Ordinal);
    private static readonly Lock OpenLock = new();

    private readonly string _key;
    private readonly SqlWorker _writer;
    private readonly Lock _readerLock = new();
    private SqlWorker? _reader;
    private bool _isClosed;
    private int _users;

    private SqlDatabase(SqlDialect dialect)
    {
        (_key, Dialect) = (dialect.Key, dialect);
        _writer = new SqlWorker(dialect, "akka-sql-writer", writes: true);
    }

    public SqlDialect Dialect { get; }

    /// <summary>The database, until the caller disposes of it as often as it was given.</summary>
    public static SqlDatabase Acquire(SqlDialect dialect)
    {
        lock (OpenLock)
        {
            if (!Open.TryGetValue(dialect.Key, out var database)) Open[dialect.Key] = database = new SqlDatabase(dialect);
            database._users++;
            return database;
        }
    }

    /// <summary>How many rows one transaction may take together.</summary>
    public int BatchRows { set => _writer.BatchRows = value; }

    /// <summary>Runs in a transaction, in order with all other writes; complete when it is durable.</summary>
    public Task<T> WriteAsync<T>(int rows, Func<SqlSession, T> action) => _writer.RunAsync(rows, action);

    public Task WriteAsync(int rows, Action<SqlSession> action) => _writer.RunAsync(rows, session =>
    {
        action(session);
        return true;
    });

    /// <summary>Runs outside a transaction, beside the writes. Fails once the database was given back.</summary>
    public Task<T> ReadAsync<T>(Func<SqlSession, T> action)
    {
        lock (_readerLock)
        {
            // A recovery may outlive the journal. A reader made for it now would never be closed.
            ObjectDisposedException.ThrowIf(_isClosed, this);
            return (_reader ??= new SqlWorker(Dialect, "akka-sql-reader", writes: false)).RunAsync(0, action);
        }
    }

    /// <summary>Gives it back. The last one to do so waits until accepted work is done and the connections are closed.</summary>
    public void Dispose()
    {
        lock (OpenLock)
        {
            if (--_users > 0) return;
            Open.Remove(_key);
        }
        _writer.Dispose();
        lock (_readerLock) _isClosed = true;
        _reader?.Dispose();
    }
}
