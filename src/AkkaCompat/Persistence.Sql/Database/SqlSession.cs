using System.Data;
using System.Data.Common;

namespace Akka.Persistence.Sql.Database;

/// <summary>An open connection with its prepared statements, used by one thread.</summary>
internal sealed class SqlSession(SqlDialect dialect) : IDisposable
{
    private readonly DbConnection _connection = dialect.Open();
    private readonly Dictionary<string, DbCommand> _prepared = new(StringComparer.Ordinal);

    public bool IsOpen => _connection.State == ConnectionState.Open;

    /// <summary>Runs a statement that answers nothing; not prepared, for those used once.</summary>
    public void ExecuteOnce(string sql)
    {
        using var command = _connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    /// <summary>Runs a statement that answers nothing.</summary>
    public void Execute(string sql, params ReadOnlySpan<(string Name, object Value)> parameters) =>
        Prepared(sql, parameters).ExecuteNonQuery();

    /// <summary>The first value of the first row; null if there is none.</summary>
    public object? Scalar(string sql, params ReadOnlySpan<(string Name, object Value)> parameters) =>
        Prepared(sql, parameters).ExecuteScalar() is { } value and not DBNull ? value : null;

    public DbDataReader Query(string sql, params ReadOnlySpan<(string Name, object Value)> parameters) =>
        Prepared(sql, parameters).ExecuteReader();

    public void Dispose()
    {
        foreach (var command in _prepared.Values) command.Dispose();
        _connection.Dispose();
    }

    private DbCommand Prepared(string sql, ReadOnlySpan<(string Name, object Value)> parameters)
    {
        if (_prepared.TryGetValue(sql, out var command))
        {
            for (var i = 0; i < parameters.Length; i++) command.Parameters[i].Value = parameters[i].Value;
            return command;
        }
        command = _connection.CreateCommand();
        try
        {
            command.CommandText = sql;
            foreach (var (name, value) in parameters)
            {
                var parameter = command.CreateParameter();
                (parameter.ParameterName, parameter.Value) = (name, value);
                command.Parameters.Add(parameter);
            }
            command.Prepare();
        }
        catch
        {
            command.Dispose();
            throw;
        }
        return _prepared[sql] = command;
    }
}
