using Npgsql;
using StorageActors.EngineTests.AkkaCompat.PersistentActors;
using Xunit;

namespace StorageActors.EngineTests.AkkaCompat.Sql;

/// <summary>The contract on a SQLite file.</summary>
public sealed class SqlitePersistentActorTests : PersistentActorContract
{
    private readonly SqlTestDatabase _database;

    public SqlitePersistentActorTests() : this(new SqlTestDatabase()) { }

    private SqlitePersistentActorTests(SqlTestDatabase database) : base(database.Configuration()) => _database = database;

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        _database.Dispose();
    }
}

/// <summary>The contract on PostgreSQL, in a schema of its own.</summary>
public sealed class PostgreSqlPersistentActorTests : PersistentActorContract
{
    private static readonly string? Server = Environment.GetEnvironmentVariable("STORAGE_ACTORS_TEST_POSTGRES");
    private readonly string _schema;

    public PostgreSqlPersistentActorTests() : this("test_" + Guid.NewGuid().ToString("N")) { }

    private PostgreSqlPersistentActorTests(string schema) : base(Configuration(schema)) => _schema = schema;

    private static string Configuration(string schema)
    {
        Skip.If(Server is null, "set STORAGE_ACTORS_TEST_POSTGRES to a connection string of a PostgreSQL server");
        Execute($"CREATE SCHEMA {schema}");
        return SqlTestDatabase.Configuration($"{Server};Search Path={schema};Pooling=false", "PostgreSQL.15");
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        Execute($"DROP SCHEMA {_schema} CASCADE");
    }

    private static void Execute(string sql)
    {
        using var connection = new NpgsqlConnection(Server);
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
