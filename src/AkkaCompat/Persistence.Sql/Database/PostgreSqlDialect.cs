using System.Data.Common;
using Npgsql;

namespace Akka.Persistence.Sql.Database;

/// <summary>PostgreSQL through Npgsql.</summary>
internal sealed class PostgreSqlDialect(string connectionString, string provider) : SqlDialect
{
    public override string Key => "PostgreSQL:" + connectionString;
    public override string BeginWrite => "BEGIN";
    public override string True => "true";
    public override string False => "false";

    public override DbConnection Open()
    {
        var connection = new NpgsqlConnection(connectionString);
        try
        {
            connection.Open();
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private string Ordering => provider == "PostgreSQL.15" ? "bigint GENERATED ALWAYS AS IDENTITY" : "bigserial";

    public override IReadOnlyList<string> CreateJournal =>
    [
        $"""
        CREATE TABLE IF NOT EXISTS journal (
            ordering {Ordering} NOT NULL,
            created bigint NOT NULL,
            deleted boolean NOT NULL,
            persistence_id text NOT NULL,
            sequence_number bigint NOT NULL,
            message bytea NOT NULL,
            manifest text NULL,
            identifier integer NULL,
            writer_uuid text NULL,
            CONSTRAINT "PK_journal" PRIMARY KEY (ordering),
            CONSTRAINT journal_uq UNIQUE (persistence_id, sequence_number))
        """,
        """
        CREATE TABLE IF NOT EXISTS tags (
            ordering_id bigint NOT NULL,
            tag text NOT NULL,
            sequence_nr bigint NOT NULL,
            persistence_id text NOT NULL,
            CONSTRAINT "PK_tags" PRIMARY KEY (ordering_id, tag))
        """,
        .. JournalIndexes,
    ];

    public override IReadOnlyList<string> CreateSnapshot =>
    [
        """
        CREATE TABLE IF NOT EXISTS snapshot (
            persistence_id text NOT NULL,
            sequence_number bigint NOT NULL,
            created bigint NOT NULL,
            snapshot bytea NULL,
            manifest text NULL,
            serializer_id integer NULL,
            CONSTRAINT "PK_snapshot" PRIMARY KEY (persistence_id, sequence_number))
        """,
        .. SnapshotIndexes,
    ];
}
