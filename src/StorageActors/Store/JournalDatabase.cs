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

    /// <exception cref="PermanentDriverException">Damaged: the file is no database. NoSpace or Io: it cannot be made.</exception>
    internal static void Prepare(string path)
    {
        try
        {
            if (!IsWal(path)) MakeWal(path);
            WriteIndexInPlace(path);
        }
        catch (SqliteException e)
        {
            var code = JournalFailure.CodeOf(e);
            throw new PermanentDriverException(new StorageError(code, "open journal", $"{path}: {e.Message} {JournalFailure.AdviceFor(code)}", path), e);
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

    /// <summary>
    /// SQLite writes the index of its log through mapped memory. On btrfs each such write takes a new block, and when none is left the kernel ends the process (SIGBUS). A
    /// file that is written in place needs none (Linux 6.16 and newer); that can be said of an empty one alone, so before SQLite makes it. Best effort.
    /// </summary>
    private static void WriteIndexInPlace(string path)
    {
        try
        {
            if (Libc.StatFs(path).Type != FsMagic.Btrfs) return;
            var errno = Libc.TryOpen(path + "-shm", OpenFlags.ReadWrite | OpenFlags.Create | OpenFlags.NoFollow, 0x1A4, out var file);
            using (file)
            {
                if (errno != Errno.None || Libc.FStat(file).Size > 0 || Libc.TryGetInodeFlags(file, out var flags) != Errno.None) return;
                Libc.TrySetInodeFlags(file, flags | InodeFlags.NoCopyOnWrite);
            }
        }
        catch (LinuxException)
        {
            // The store works without.
        }
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
