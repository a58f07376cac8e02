using System.Collections.Immutable;
using Akka.Actor;
using Akka.Configuration;
using Akka.Persistence.Journal;
using Akka.Persistence.Sql.Database;

namespace Akka.Persistence.Sql.Journal;

/// <summary>A journal in a SQL database. An answered write is durable as far as the database makes a commit durable.</summary>
public sealed class SqlWriteJournal : AsyncWriteJournal
{
    private readonly string _writer = Guid.NewGuid().ToString("N");
    private readonly SqlPlugin _plugin;
    private readonly JournalTable _table;
    private readonly int _bufferRows;
    private readonly int _pageRows;
    private int _waitingRows;

    public SqlWriteJournal(Config journalConfig)
    {
        var config = journalConfig.WithFallback(SqlPersistence.DefaultJournalConfiguration);
        SqlDialect.Require(config, "delete-compatibility-mode", "false");
        SqlDialect.Require(config, "tag-write-mode", "TagTable");
        _bufferRows = config.GetInt("buffer-size", 5000);
        _pageRows = config.GetInt("replay-batch-size", 1000);
        var batchRows = config.GetInt("batch-size", 100);
        _plugin = new SqlPlugin(Context.System, config, dialect => dialect.CreateJournal);   // after all settings: it must be given back
        _plugin.Database.BatchRows = batchRows;
        _table = new JournalTable(_plugin.Database.Dialect);
    }

    protected override void PostStop() => _plugin.Dispose();

    protected override async Task<IImmutableList<Exception?>?> WriteMessagesAsync(IEnumerable<AtomicWrite> messages)
    {
        var rows = new List<JournalRow>();
        var results = ImmutableList.CreateBuilder<Exception?>();
        foreach (var write in messages) results.Add(TrySerialize(write, rows));
        if (rows.Count > 0) await StoreAsync(rows).ConfigureAwait(false);
        return results.TrueForAll(r => r is null) ? null : results.ToImmutable();
    }

    public override async Task<long> ReadHighestSequenceNrAsync(string persistenceId, long fromSequenceNr)
    {
        await _plugin.InitializedAsync().ConfigureAwait(false);
        return await _plugin.Database.ReadAsync(session => JournalTable.Highest(session, persistenceId)).ConfigureAwait(false);
    }

    public override async Task ReplayMessagesAsync(
        IActorContext context, string persistenceId, long fromSequenceNr, long toSequenceNr, long max,
        Action<IPersistentRepresentation> recoveryCallback)
    {
        await _plugin.InitializedAsync().ConfigureAwait(false);
        for (var (from, left) = (fromSequenceNr, max); from <= toSequenceNr && left > 0;)
        {
            var (first, size) = (from, Math.Min(left, _pageRows));
            var page = await _plugin.Database
                .ReadAsync(session => _table.Page(session, persistenceId, first, toSequenceNr, size)).ConfigureAwait(false);
            foreach (var row in page) recoveryCallback(Restore(row));
            if (page.Count < size) return;
            (from, left) = (page[^1].SequenceNr + 1L, left - page.Count);
        }
    }

    protected override async Task DeleteMessagesToAsync(string persistenceId, long toSequenceNr)
    {
        await _plugin.InitializedAsync().ConfigureAwait(false);
        await _plugin.Database.WriteAsync(1, session => _table.DeleteTo(session, persistenceId, toSequenceNr)).ConfigureAwait(false);
    }

    /// <summary>Adds the write's rows, or none of them and says why.</summary>
    private Exception? TrySerialize(AtomicWrite write, List<JournalRow> rows)
    {
        var before = rows.Count;
        try
        {
            foreach (var e in (IEnumerable<IPersistentRepresentation>)write.Payload)
            {
                var (payload, tags) = e.Payload is Tagged tagged ? (tagged.Payload, tagged.Tags.ToList()) : (e.Payload, []);
                var (bytes, manifest, serializer) = _plugin.Serialize(payload);
                var created = e.Timestamp != 0L ? e.Timestamp : DateTime.UtcNow.Ticks;
                rows.Add(new JournalRow(e.PersistenceId, e.SequenceNr, created, bytes, manifest, serializer, tags));
            }
            return null;
        }
        catch (Exception cause)
        {
            rows.RemoveRange(before, rows.Count - before);
            return cause;
        }
    }

    private async Task StoreAsync(List<JournalRow> rows)
    {
        if (Interlocked.Add(ref _waitingRows, rows.Count) is var waiting && waiting > _bufferRows && waiting > rows.Count)
        {
            Interlocked.Add(ref _waitingRows, -rows.Count);
            throw new InvalidOperationException($"Failed to enqueue a write of {rows.Count} rows: {_bufferRows} rows are waiting to be written");
        }
        try
        {
            await _plugin.InitializedAsync().ConfigureAwait(false);
            await _plugin.Database.WriteAsync(rows.Count, session =>
            {
                foreach (var row in rows) JournalTable.Insert(session, row, _writer);
            }).ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Add(ref _waitingRows, -rows.Count);
        }
    }

    private Persistent Restore(StoredEvent row) => new(
        _plugin.Deserialize(row.Message, row.Manifest, row.SerializerId), row.SequenceNr, row.PersistenceId, row.Manifest,
        writerGuid: row.WriterGuid, timestamp: row.Created);
}
