using Microsoft.Data.Sqlite;
using StorageActors.Drivers;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Store;

/// <summary>
/// The journal's file, before Akka opens it. A database is made in WAL mode, which it remembers: a write is one append then, and readers and the writer do not
/// keep each other waiting.
/// </summary>
internal static class JournalDatabase
{
    private const int WriteVersionOffset = 18;
    private const byte Wal = 2;

    /// <exception cref="PermanentDriverException">Damaged: the file is no database.</exception>
    internal static void Prepare(string path)
    {
        try
        {
            if (!IsWal(path)) MakeWal(path);
        }
        catch (SqliteException e)
        {
            throw new PermanentDriverException(
                new StorageError(StorageErrorCode.Damaged, "open journal", $"{path}: {e.Message} Move it away: the store rebuilds it from its directories.", path), e);
        }
    }

    /// <summary>Whether the last engine gave the journal back: SQLite takes its log away when the last connection is closed.</summary>
    internal static bool WasClosed(string path) => Libc.TryStat(path + "-wal", out _) == Errno.ENOENT;

    /// <summary>Renames the database, so that the next engine makes a new one; durable on return.</summary>
    /// <returns>Where it is now; null when there was none.</returns>
    internal static string? MoveAway(string path, DateTimeOffset now)
    {
        var moved = FormattableString.Invariant($"{path}.replaced-{now.UtcDateTime:yyyyMMddTHHmmssfff}");
        // The database last: a log without its database would be taken for that of a new one.
        var any = false;
        foreach (var part in new[] { "-wal", "-shm", "" })
        {
            if (!File.Exists(path + part)) continue;
            File.Move(path + part, moved + part);
            any = true;
        }

        using var directory = Libc.OpenDirectory(Path.GetDirectoryName(path)!);
        Libc.FSync(directory);
        return any ? moved : null;
    }

    private static void MakeWal(string path)
    {
        using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ToString());
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA journal_mode = WAL";
        command.ExecuteNonQuery();
    }

    /// <summary>Known from the file's header, without the cost of a connection: the usual start.</summary>
    private static bool IsWal(string path)
    {
        var errno = Libc.TryOpen(path, OpenFlags.NoFollow, 0, out var file);
        using (file)
        {
            Span<byte> header = stackalloc byte[WriteVersionOffset + 1];
            return errno == Errno.None && Libc.ReadFully(file, header) == header.Length && header[WriteVersionOffset] == Wal;
        }
    }
}
