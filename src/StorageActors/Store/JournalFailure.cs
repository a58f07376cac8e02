using Microsoft.Data.Sqlite;
using StorageActors.Protocol;

namespace StorageActors.Store;

/// <summary>What a failure of the journal means. It is given up for the directories' sake when it is damaged, and for no trouble of the disk.</summary>
internal static class JournalFailure
{
    private const string ReadJournal = "read journal";
    private const int Corrupt = 11;
    private const int Full = 13;
    private const int NoDatabase = 26;

    /// <summary>The refusal that SQLite's error stands for, wherever in the exception it is; the one that is given for the errors of other databases and of serializers.</summary>
    internal static StorageErrorCode CodeOf(Exception cause, StorageErrorCode otherwise)
    {
        for (var at = cause; at is not null; at = at.InnerException)
        {
            if (at is SqliteException sqlite) return CodeOf(sqlite);
        }

        return otherwise;
    }

    internal static StorageErrorCode CodeOf(SqliteException cause) => cause.SqliteErrorCode switch
    {
        Corrupt or NoDatabase => StorageErrorCode.Damaged,
        Full => StorageErrorCode.NoSpace,
        _ => StorageErrorCode.Io,
    };

    /// <summary>What the journal has was not written so.</summary>
    internal static StorageError Unreadable(string what) =>
        new(StorageErrorCode.Damaged, ReadJournal, $"the journal is damaged: {what}. {AdviceFor(StorageErrorCode.Damaged)}");

    /// <summary>Whether somebody asked for what the journal should have, and it is unreadable.</summary>
    internal static bool IsUnreadable(StorageException cause) => IsUnreadable(cause.Error);

    /// <summary>Whether it is what <see cref="Unreadable"/> makes, which has its advice.</summary>
    internal static bool IsUnreadable(StorageError error) => error is { Code: StorageErrorCode.Damaged, Operation: ReadJournal };

    /// <summary>What to do next.</summary>
    internal static string AdviceFor(StorageErrorCode code) => code switch
    {
        StorageErrorCode.Damaged => "If the journal is damaged, move it away: the store rebuilds it from its directories.",
        StorageErrorCode.NoSpace => "Free space on the journal's file system, and open the store again.",
        _ => "Open the store again when the journal works; the kernel's log (dmesg) may say what is wrong with the disk.",
    };
}
