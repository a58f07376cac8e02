using System.Data.Common;
using Akka.Persistence.Sql.Database;

namespace Akka.Persistence.Sql.Journal;

/// <summary>A row to be stored.</summary>
internal sealed record JournalRow(
    string PersistenceId, long SequenceNr, long Created, byte[] Message, string Manifest, int SerializerId, IReadOnlyCollection<string> Tags);

/// <summary>A row as it is read.</summary>
internal sealed record StoredEvent(
    string PersistenceId, long SequenceNr, long Created, byte[] Message, string Manifest, int? SerializerId, string WriterGuid);

/// <summary>The statements on the tables <c>journal</c> and <c>tags</c>. Each runs in its caller's transaction.</summary>
internal sealed class JournalTable(SqlDialect dialect)
{
    private const string InsertEvent = """
        INSERT INTO journal (created, deleted, persistence_id, sequence_number, message, manifest, identifier, writer_uuid)
        VALUES (@created, @deleted, @id, @nr, @message, @manifest, @serializer, @writer)
        """;

    private const string InsertTaggedEvent = InsertEvent + " RETURNING ordering";

    private const string InsertTag =
        "INSERT INTO tags (ordering_id, tag, sequence_nr, persistence_id) VALUES (@ordering, @tag, @nr, @id)";

    private const string SelectHighest = "SELECT max(sequence_number) FROM journal WHERE persistence_id = @id";

    private readonly string _select = $"""
        SELECT sequence_number, created, message, manifest, identifier, writer_uuid FROM journal
        WHERE persistence_id = @id AND sequence_number >= @from AND sequence_number <= @to AND deleted = {dialect.False}
        ORDER BY sequence_number LIMIT @page
        """;

    private readonly string _markDeleted = $"""
        UPDATE journal SET deleted = {dialect.True}
        WHERE persistence_id = @id AND sequence_number <= @to AND deleted = {dialect.False}
        """;

    /// <summary>The highest of them stays, so that numbering never starts again.</summary>
    private readonly string _deleteMarked = $"""
        DELETE FROM journal WHERE persistence_id = @id AND sequence_number <= @to AND sequence_number <
            (SELECT max(marked.sequence_number) FROM journal AS marked WHERE marked.persistence_id = @id AND marked.deleted = {dialect.True})
        """;

    private const string DeleteTags = "DELETE FROM tags WHERE persistence_id = @id AND sequence_nr <= @to";

    public static void Insert(SqlSession session, JournalRow row, string writer)
    {
        ReadOnlySpan<(string, object)> values =
        [
            ("@created", row.Created), ("@deleted", false), ("@id", row.PersistenceId), ("@nr", row.SequenceNr),
            ("@message", row.Message), ("@manifest", row.Manifest), ("@serializer", row.SerializerId), ("@writer", writer),
        ];
        if (row.Tags.Count == 0)
        {
            session.Execute(InsertEvent, values);
            return;
        }
        var ordering = session.Scalar(InsertTaggedEvent, values)!;
        foreach (var tag in row.Tags)
            session.Execute(InsertTag, ("@ordering", ordering), ("@tag", tag), ("@nr", row.SequenceNr), ("@id", row.PersistenceId));
    }

    public static long Highest(SqlSession session, string persistenceId) => session.Scalar(SelectHighest, ("@id", persistenceId)) as long? ?? 0L;

    public List<StoredEvent> Page(SqlSession session, string persistenceId, long from, long to, long size)
    {
        using var reader = session.Query(_select, ("@id", persistenceId), ("@from", from), ("@to", to), ("@page", size));
        var rows = new List<StoredEvent>();
        while (reader.Read()) rows.Add(Read(reader, persistenceId));
        return rows;
    }

    public void DeleteTo(SqlSession session, string persistenceId, long to)
    {
        session.Execute(_markDeleted, ("@id", persistenceId), ("@to", to));
        session.Execute(_deleteMarked, ("@id", persistenceId), ("@to", to));
        session.Execute(DeleteTags, ("@id", persistenceId), ("@to", to));
    }

    private static StoredEvent Read(DbDataReader row, string persistenceId) => new(
        persistenceId, row.GetInt64(0), row.GetInt64(1), row.GetFieldValue<byte[]>(2),
        row.IsDBNull(3) ? "" : row.GetString(3), row.IsDBNull(4) ? null : row.GetInt32(4), row.IsDBNull(5) ? "" : row.GetString(5));
}
