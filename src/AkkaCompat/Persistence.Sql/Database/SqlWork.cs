namespace Akka.Persistence.Sql.Database;

/// <summary>Something to do on a worker's thread.</summary>
internal abstract class SqlWork(int rows)
{
    /// <summary>How much of a transaction's limit it uses up.</summary>
    public int Rows { get; } = rows;

    /// <summary>Runs it; may run again if the transaction it was part of failed.</summary>
    public abstract void Run(SqlSession session);

    public abstract void Complete();

    public abstract void Fail(Exception cause);
}

/// <summary>Something to do that has a result.</summary>
internal sealed class SqlWork<T>(int rows, Func<SqlSession, T> action) : SqlWork(rows)
{
    // Who waits is a plugin, which makes events of what it got and tells an actor: on the worker's thread, since to wake another one for it takes longer as a rule.
    private readonly TaskCompletionSource<T> _completion = new();
    private T _result = default!;

    public Task<T> Task => _completion.Task;

    public override void Run(SqlSession session) => _result = action(session);

    public override void Complete() => _completion.SetResult(_result);

    public override void Fail(Exception cause) => _completion.SetException(cause);
}
