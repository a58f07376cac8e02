using System.Data.Common;
using Akka.Configuration;

namespace Akka.Persistence.Sql.Database;

/// <summary>Where database systems differ: the connection, the tables, and a few words.</summary>
internal abstract class SqlDialect
{
    /// <summary>Names the database: plugins with equal dialects share its connections.</summary>
    public abstract string Key { get; }

    public abstract string BeginWrite { get; }
    public abstract string True { get; }
    public abstract string False { get; }
    public abstract IReadOnlyList<string> CreateJournal { get; }
    public abstract IReadOnlyList<string> CreateSnapshot { get; }

    /// <summary>
    /// Whether a transaction that failed so may be run once more at once: nothing of it counts, and it writes all of its pages again. A signal can end an fsync.
    /// </summary>
    public virtual bool MayRepeat(Exception cause) => false;

    /// <summary>An open connection, for the use of one thread.</summary>
    public abstract DbConnection Open();

    /// <summary>The dialect that a plugin's section asks for.</summary>
    public static SqlDialect From(Config config)
    {
        var connectionString = config.GetString("connection-string", "");
        if (string.IsNullOrEmpty(connectionString)) throw new ConfigurationException("connection-string is empty");
        Require(config, "table-mapping", "default");
        var provider = config.GetString("provider-name", "");
        return provider.Split('.')[0].ToUpperInvariant() switch
        {
            "SQLITE" => new SqliteDialect(connectionString),
            "POSTGRESQL" => new PostgreSqlDialect(connectionString, provider),
            _ => throw new ConfigurationException($"provider-name [{provider}] is not one of SQLite.MS, PostgreSQL.15"),
        };
    }

    /// <summary>Fails on a setting of the official package that has no counterpart here, rather than ignore it.</summary>
    public static void Require(Config config, string key, string only)
    {
        var value = config.GetString(key, only);
        if (!string.Equals(value, only, StringComparison.OrdinalIgnoreCase))
            throw new ConfigurationException($"{key} = {value} needs the official Akka.Persistence.Sql; here it can only be {only}");
    }

    /// <summary>The indexes that are the same everywhere.</summary>
    protected static string[] JournalIndexes =>
    [
        "CREATE INDEX IF NOT EXISTS journal_created_idx ON journal (created)",
        "CREATE INDEX IF NOT EXISTS journal_sequence_number_idx ON journal (sequence_number)",
        "CREATE INDEX IF NOT EXISTS tags_persistence_id_sequence_nr_idx ON tags (persistence_id, sequence_nr)",
        "CREATE INDEX IF NOT EXISTS tags_tag_idx ON tags (tag)",
    ];

    protected static string[] SnapshotIndexes =>
    [
        "CREATE INDEX IF NOT EXISTS snapshot_sequence_number_idx ON snapshot (sequence_number)",
        "CREATE INDEX IF NOT EXISTS snapshot_created_idx ON snapshot (created)",
    ];
}
