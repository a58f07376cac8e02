using System.Data.Common;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Akka.Persistence.Sql.Database;

/// <summary>SQLite through Microsoft.Data.Sqlite. Journal mode and durability are those of the file and of SQLite's default.</summary>
internal sealed class SqliteDialect : SqlDialect
{
    private static readonly Lazy<bool> Native = new(() =>
    {
        Batteries_V2.Init();
        return true;
    });

    private readonly SqliteConnectionStringBuilder _connection;

    public SqliteDialect(string connectionString)
    {
        _connection = new SqliteConnectionStringBuilder(connectionString);
        // A pool would keep the file open after the actor system's end.
        if (!_connection.ShouldSerialize("Pooling")) _connection.Pooling = false;
    }

    public override string Key => "SQLite:" + _connection.ConnectionString;

    /// <summary>Takes the write lock at once: a transaction that begins by reading could not always be raised to a writing one.</summary>
    public override string BeginWrite => "BEGIN IMMEDIATE";
    public override string True => "1";
    public override string False => "0";

    public override bool MayRepeat(Exception cause) => cause is SqliteException { SqliteExtendedErrorCode: raw.SQLITE_IOERR_FSYNC };

    public override DbConnection Open()
    {
        _ = Native.Value;
        var connection = new SqliteConnection(_connection.ConnectionString);
        try
        {
            connection.Open();
            RequireWritable(connection);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>
    /// SQLite opens a file that it cannot open for writing, be it for want of a descriptor at that moment, for reading alone and says nothing: each write through that
    /// connection would be refused for as long as it lives. A failure to open is tried again.
    /// </summary>
    private void RequireWritable(SqliteConnection connection)
    {
        if (_connection.Mode != SqliteOpenMode.ReadOnly && raw.sqlite3_db_readonly(connection.Handle, "main") == 1)
            throw new SqliteException($"{_connection.DataSource} could be opened for reading alone", raw.SQLITE_CANTOPEN);
    }

    public override IReadOnlyList<string> CreateJournal =>
    [
        """
        CREATE TABLE IF NOT EXISTS journal (
            ordering INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
            created BigInt NOT NULL,
            deleted Bit NOT NULL,
            persistence_id NVarChar(255) NOT NULL,
            sequence_number BigInt NOT NULL,
            message VarBinary NOT NULL,
            manifest NVarChar(500) NULL,
            identifier INTEGER NULL,
            writer_uuid NVarChar(128) NULL)
        """,
        """
        CREATE TABLE IF NOT EXISTS tags (
            ordering_id INTEGER NOT NULL,
            tag NVarChar(64) NOT NULL,
            sequence_nr INTEGER NOT NULL,
            persistence_id NVarChar(255) NOT NULL,
            CONSTRAINT PK_tags PRIMARY KEY (ordering_id, tag))
        """,
        "CREATE UNIQUE INDEX IF NOT EXISTS journal_uq ON journal (persistence_id, sequence_number)",
        .. JournalIndexes,
    ];

    public override IReadOnlyList<string> CreateSnapshot =>
    [
        """
        CREATE TABLE IF NOT EXISTS snapshot (
            persistence_id NVarChar(255) NOT NULL,
            sequence_number BigInt NOT NULL,
            created BigInt NOT NULL,
            snapshot VarBinary NULL,
            manifest NVarChar(500) NULL,
            serializer_id INTEGER NULL,
            CONSTRAINT PK_snapshot PRIMARY KEY (persistence_id, sequence_number))
        """,
        .. SnapshotIndexes,
    ];
}
