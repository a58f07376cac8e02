using System.Runtime.Serialization;
using SQLitePCL;
using StorageActors.Journal;

namespace StorageActors.Reading;

/// <summary>
/// The tables of Akka.Persistence in a store's journal, read as they are at one moment, beside a process that writes them or without any. It speaks to
/// SQLite itself: a command that only asks has not the time to start a database provider, let alone an actor system.
/// </summary>
internal sealed class JournalFile : IDisposable
{
    private const int BusyMilliseconds = 2000;

    private const string SelectSnapshot =
        "SELECT sequence_number, snapshot, manifest, serializer_id FROM snapshot WHERE persistence_id = ?1 ORDER BY sequence_number DESC LIMIT 1";

    private const string SelectEvents =
        "SELECT message, manifest, identifier FROM journal WHERE persistence_id = ?1 AND sequence_number > ?2 AND deleted = 0 ORDER BY sequence_number";

    private static readonly Lazy<bool> Native = new(() =>
    {
        Batteries_V2.Init();
        return true;
    });

    private readonly sqlite3 _database;

    private JournalFile(sqlite3 database) => _database = database;

    /// <summary>Opens the file and begins the moment that is read.</summary>
    /// <param name="path">The database.</param>
    /// <param name="isImmutable">Nobody writes to it, and its log is empty: it is read without locks and without a file beside it.</param>
    /// <exception cref="JournalReadException">It cannot be read so.</exception>
    internal static JournalFile Open(string path, bool isImmutable)
    {
        _ = Native.Value;
        var address = $"file:{string.Join('/', path.Split('/').Select(Uri.EscapeDataString))}?mode=ro{(isImmutable ? "&immutable=1" : "")}";
        var result = raw.sqlite3_open_v2(address, out var database, raw.SQLITE_OPEN_READONLY | raw.SQLITE_OPEN_URI | raw.SQLITE_OPEN_NOMUTEX, null);
        var journal = new JournalFile(database);
        try
        {
            journal.Check(result);
            journal.Check(raw.sqlite3_busy_timeout(database, BusyMilliseconds));
            journal.Check(raw.sqlite3_exec(database, "BEGIN"));
            return journal;
        }
        catch
        {
            journal.Dispose();
            throw;
        }
    }

    /// <summary>What happened under a persistence id, in order: the latest snapshot, if there is one, then the events after it.</summary>
    internal IEnumerable<IJournalEvent> Read(string persistenceId)
    {
        var after = 0L;
        foreach (var snapshot in Rows(SelectSnapshot, persistenceId, null, static row => (Number: raw.sqlite3_column_int64(row, 0), What: Event(row, 1))))
        {
            after = snapshot.Number;
            yield return snapshot.What;
        }

        foreach (var happened in Rows(SelectEvents, persistenceId, after, static row => Event(row, 0))) yield return happened;
    }

    public void Dispose() => _database.Dispose();

    /// <summary>The columns of a payload stand side by side: bytes, manifest, serializer.</summary>
    private static IJournalEvent Event(sqlite3_stmt row, int first)
    {
        var serializer = raw.sqlite3_column_int(row, first + 2);
        if (serializer != JournalRows.SerializerId) throw new JournalReadException($"a row was written by the serializer {serializer}");
        try
        {
            return JournalRows.Read(raw.sqlite3_column_blob(row, first).ToArray(), raw.sqlite3_column_text(row, first + 1).utf8_to_string());
        }
        catch (SerializationException e)
        {
            throw new JournalReadException(e.Message, e);
        }
    }

    private IEnumerable<T> Rows<T>(string sql, string persistenceId, long? after, Func<sqlite3_stmt, T> read)
    {
        Check(raw.sqlite3_prepare_v2(_database, sql, out var statement));
        using (statement)
        {
            Check(raw.sqlite3_bind_text(statement, 1, persistenceId));
            if (after is { } number) Check(raw.sqlite3_bind_int64(statement, 2, number));
            int step;
            while ((step = raw.sqlite3_step(statement)) == raw.SQLITE_ROW) yield return read(statement);
            if (step != raw.SQLITE_DONE) Check(step);
        }
    }

    private void Check(int result)
    {
        if (result != raw.SQLITE_OK) throw new JournalReadException(raw.sqlite3_errmsg(_database).utf8_to_string());
    }
}

/// <summary>The journal cannot be read from outside; the engine may know better, or say better why.</summary>
internal sealed class JournalReadException(string message, Exception? inner = null) : Exception(message, inner);
