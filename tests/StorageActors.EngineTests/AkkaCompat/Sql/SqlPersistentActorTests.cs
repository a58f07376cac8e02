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
public sealed class PostgreSqlPersistentActorTests : PersistentActorContract, IClassFixture<PostgreSqlServer>
{
    private readonly PostgreSqlServer _server;
    private readonly string _schema;

    public PostgreSqlPersistentActorTests(PostgreSqlServer server) : this(server, "test_" + Guid.NewGuid().ToString("N")) { }

    private PostgreSqlPersistentActorTests(PostgreSqlServer server, string schema) : base(Configuration(server, schema)) => (_server, _schema) = (server, schema);

    private static string Configuration(PostgreSqlServer server, string schema)
    {
        Execute(server, $"CREATE SCHEMA {schema}");
        return SqlTestDatabase.Configuration($"{server.Connection};Search Path={schema};Pooling=false", "PostgreSQL.15");
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        Execute(_server, $"DROP SCHEMA {_schema} CASCADE");
    }

    private static void Execute(PostgreSqlServer server, string sql)
    {
        using var connection = new NpgsqlConnection(server.Connection + ";Pooling=false");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
