using Microsoft.Data.Sqlite;
using StorageActors.TestSupport;

namespace StorageActors.EngineTests.AkkaCompat.Sql;

/// <summary>A SQLite file as the engine makes it: in WAL mode, which stays with the file.</summary>
internal sealed class SqlTestDatabase : IDisposable
{
    private readonly TempDirectory _directory = new();

    public SqlTestDatabase()
    {
        SQLitePCL.Batteries_V2.Init();
        Query("PRAGMA journal_mode = WAL");
    }

    public string Path => _directory["journal.db"];

    public string ConnectionString => $"Data Source={Path};Pooling=False";

    /// <summary>The plugins' configuration.</summary>
    public static string Configuration(string connectionString, string provider) => $$"""
        akka.persistence.journal {
          plugin = "akka.persistence.journal.sql"
          sql {
            class = "Akka.Persistence.Sql.Journal.SqlWriteJournal, Akka.Persistence.Sql"
            connection-string = "{{connectionString}}"
            provider-name = "{{provider}}"
          }
        }
        akka.persistence.snapshot-store {
          plugin = "akka.persistence.snapshot-store.sql"
          sql {
            class = "Akka.Persistence.Sql.Snapshot.SqlSnapshotStore, Akka.Persistence.Sql"
            connection-string = "{{connectionString}}"
            provider-name = "{{provider}}"
          }
        }
        """;

    public string Configuration() => Configuration(ConnectionString, "SQLite.MS");

    public SqliteConnection Open()
    {
        var connection = new SqliteConnection(ConnectionString);
        connection.Open();
        return connection;
    }

    /// <summary>The rows, their values joined by a bar.</summary>
    public List<string> Query(string sql)
    {
        using var connection = Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        using var reader = command.ExecuteReader();
        var rows = new List<string>();
        while (reader.Read())
            rows.Add(string.Join('|', Enumerable.Range(0, reader.FieldCount).Select(i => reader.IsDBNull(i) ? "NULL" : reader.GetValue(i).ToString())));
        return rows;
    }

    public void Dispose() => _directory.Dispose();
}
