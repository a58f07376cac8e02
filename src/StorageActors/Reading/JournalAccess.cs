using StorageActors.Linux;

namespace StorageActors.Reading;

/// <summary>
/// Opens a store's journal for reading in whatever state its files are. SQLite keeps what was written last in a log beside the database (<c>-wal</c>) and an
/// index of it that readers and writers share (<c>-shm</c>):
/// <list type="bullet">
/// <item>somebody owns the store, or the log has something: both are read, and the index is made if it is missing;</item>
/// <item>nobody does, and the log is empty or missing: the database alone is read, without any file beside it, also on a read-only file system;</item>
/// <item>the log has something, but the index can be neither found nor made (a copy of a store that was killed, on a read-only file system), or must not be: a
/// copy of both is read.</item>
/// </list>
/// </summary>
internal static class JournalAccess
{
    private const int Rounds = 3;

    /// <summary>Reads the journal as it is at one moment.</summary>
    /// <exception cref="JournalReadException">It is missing, damaged, or changing all the time.</exception>
    internal static T Read<T>(string path, bool isOwned, Func<JournalFile, T> read, bool leavesNoTrace = false)
    {
        for (var round = 1; ; round++)
        {
            var before = Stamp.Of(path) ?? throw new JournalReadException($"there is no {path}");
            if (!isOwned && before.Log > 0 && leavesNoTrace) return ReadCopy(path, read);
            if (isOwned || before.Log > 0) return ReadShared(path, read);
            using var journal = JournalFile.Open(path, isImmutable: true);
            try
            {
                var result = read(journal);
                if (Stamp.Of(path) == before) return result;
            }
            catch (JournalReadException) when (Stamp.Of(path) != before && round < Rounds)
            {
                continue; // Somebody became the owner meanwhile, and what we read was his half-done work.
            }

            if (round == Rounds) throw new JournalReadException($"{path} changed each time it was read");
        }
    }

    private static T ReadShared<T>(string path, Func<JournalFile, T> read)
    {
        try
        {
            using var journal = JournalFile.Open(path, isImmutable: false);
            return read(journal);
        }
        catch (JournalReadException) when (!File.Exists(path + "-shm"))
        {
            return ReadCopy(path, read);
        }
    }

    private static T ReadCopy<T>(string path, Func<JournalFile, T> read)
    {
        var directory = Directory.CreateTempSubdirectory("storage-actors-");
        try
        {
            var copy = Path.Combine(directory.FullName, "journal.db");
            File.Copy(path, copy);
            File.Copy(path + "-wal", copy + "-wal");
            using var journal = JournalFile.Open(copy, isImmutable: false);
            return read(journal);
        }
        catch (IOException e)
        {
            throw new JournalReadException(e.Message, e);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    /// <summary>Tells a database that somebody wrote to from one that nobody did.</summary>
    private sealed record Stamp(ulong Inode, long Size, TimeSpec Changed, long Log)
    {
        internal static Stamp? Of(string path)
        {
            if (Libc.TryStat(path, out var file) != Errno.None) return null;
            var log = Libc.TryStat(path + "-wal", out var wal) == Errno.None ? wal.Size : 0;
            return new Stamp(file.Inode, file.Size, file.ChangeTime, log);
        }
    }
}
