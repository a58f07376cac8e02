using Akka.Actor;
using Akka.Configuration;
using Akka.Persistence.Snapshot;
using Akka.Persistence.Sql.Database;

namespace Akka.Persistence.Sql.Snapshot;

/// <summary>A snapshot store in a SQL database.</summary>
public sealed class SqlSnapshotStore : SnapshotStore
{
    private const string Upsert = """
        INSERT INTO snapshot (persistence_id, sequence_number, created, snapshot, manifest, serializer_id)
        VALUES (@id, @nr, @created, @snapshot, @manifest, @serializer)
        ON CONFLICT (persistence_id, sequence_number) DO UPDATE SET created = excluded.created, snapshot = excluded.snapshot,
            manifest = excluded.manifest, serializer_id = excluded.serializer_id
        """;

    private const string SelectLatest = """
        SELECT sequence_number, created, snapshot, manifest, serializer_id FROM snapshot
        WHERE persistence_id = @id AND sequence_number <= @nr AND created <= @created ORDER BY sequence_number DESC LIMIT 1
        """;

    private const string DeleteOne =
        "DELETE FROM snapshot WHERE persistence_id = @id AND sequence_number = @nr AND created <= @created";

    private const string DeleteMatching =
        "DELETE FROM snapshot WHERE persistence_id = @id AND sequence_number <= @nr AND created <= @created";

    private readonly SqlPlugin _plugin;

    private sealed record Row(long SequenceNr, long Created, byte[] Bytes, string Manifest, int? SerializerId);

    public SqlSnapshotStore(Config snapshotConfig) => _plugin = new SqlPlugin(
        Context.System, snapshotConfig.WithFallback(SqlPersistence.DefaultSnapshotStoreConfiguration), dialect => dialect.CreateSnapshot);

    protected override void PostStop() => _plugin.Dispose();

    protected override async Task<SelectedSnapshot?> LoadAsync(string persistenceId, SnapshotSelectionCriteria criteria)
    {
        await _plugin.InitializedAsync().ConfigureAwait(false);
        var row = await _plugin.Database.ReadAsync(session => Select(session, persistenceId, criteria)).ConfigureAwait(false);
        return row is null ? null : new SelectedSnapshot(
            new SnapshotMetadata(persistenceId, row.SequenceNr, new DateTime(row.Created, DateTimeKind.Utc)),
            _plugin.Deserialize(row.Bytes, row.Manifest, row.SerializerId));
    }

    protected override async Task SaveAsync(SnapshotMetadata metadata, object snapshot)
    {
        var (bytes, manifest, serializer) = _plugin.Serialize(snapshot);
        await WriteAsync(session => session.Execute(
            Upsert, ("@id", metadata.PersistenceId), ("@nr", metadata.SequenceNr), ("@created", metadata.Timestamp.Ticks),
            ("@snapshot", bytes), ("@manifest", manifest), ("@serializer", serializer))).ConfigureAwait(false);
    }

    protected override Task DeleteAsync(SnapshotMetadata metadata)
    {
        var until = metadata.Timestamp == SnapshotMetadata.TimestampNotSpecified ? DateTime.MaxValue : metadata.Timestamp;
        return WriteAsync(session => session.Execute(
            DeleteOne, ("@id", metadata.PersistenceId), ("@nr", metadata.SequenceNr), ("@created", until.Ticks)));
    }

    protected override Task DeleteAsync(string persistenceId, SnapshotSelectionCriteria criteria) => WriteAsync(session => session.Execute(
        DeleteMatching, ("@id", persistenceId), ("@nr", criteria.MaxSequenceNr), ("@created", criteria.MaxTimeStamp.Ticks)));

    private async Task WriteAsync(Action<SqlSession> action)
    {
        await _plugin.InitializedAsync().ConfigureAwait(false);
        await _plugin.Database.WriteAsync(1, action).ConfigureAwait(false);
    }

    private static Row? Select(SqlSession session, string persistenceId, SnapshotSelectionCriteria criteria)
    {
        using var reader = session.Query(
            SelectLatest, ("@id", persistenceId), ("@nr", criteria.MaxSequenceNr), ("@created", criteria.MaxTimeStamp.Ticks));
        return !reader.Read() ? null : new Row(
            reader.GetInt64(0), reader.GetInt64(1), reader.IsDBNull(2) ? [] : reader.GetFieldValue<byte[]>(2),
            reader.IsDBNull(3) ? "" : reader.GetString(3), reader.IsDBNull(4) ? null : reader.GetInt32(4));
    }
}
