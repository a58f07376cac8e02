using Microsoft.Data.Sqlite;
using StorageActors.Store;
using StorageActors.TestSupport;

namespace StorageActors.CrashTests.Checking;

/// <summary>
/// A store whose journal has a packed snapshot says so at any moment, whatever happened: versions from before refuse it then, and do not fail at it. One that stops and is small says
/// so no more.
/// </summary>
internal static class SnapshotMark
{
    /// <summary>Compares, when no engine runs, and changes nothing.</summary>
    /// <param name="root">The store.</param>
    /// <param name="isSmall">Whether an engine has just stopped to which the store was small.</param>
    /// <param name="violations">Where to say what is wrong.</param>
    internal static void Check(string root, bool isSmall, List<string> violations)
    {
        var (has, says) = (HasPacked(root), Directory.Exists(root) && StoreFormat.Read(root)?.Features.Have(StoreFormat.PackedSnapshot) == true);
        if (has && !says) violations.Add("the journal has a packed snapshot, and the store does not say so");
        if (isSmall && (has || says)) violations.Add($"the store is small, and {(has ? "has a packed snapshot" : "says that its snapshot is packed")}");
    }

    /// <summary>Whether there is a packed snapshot. Looks at a copy: to open the journal would tidy it up, and the next engine is to find it as the last one left it.</summary>
    internal static bool HasPacked(string root)
    {
        var journal = Path.Combine(root, "journal.db");
        if (!File.Exists(journal)) return false;
        using var directory = new TempDirectory();
        foreach (var part in new[] { "", "-wal" })
        {
            if (File.Exists(journal + part)) File.Copy(journal + part, directory["journal.db"] + part);
        }

        using var connection = new SqliteConnection($"Data Source={directory["journal.db"]};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT count(*) FROM sqlite_master WHERE name = 'snapshot'";
        if ((long)command.ExecuteScalar()! == 0) return false;
        command.CommandText = "SELECT count(*) FROM snapshot WHERE manifest = 'catalog-4'";
        return (long)command.ExecuteScalar()! > 0;
    }
}
