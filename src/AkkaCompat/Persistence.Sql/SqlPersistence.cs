using Akka.Configuration;

namespace Akka.Persistence.Sql;

/// <summary>The plugins' defaults, which they add to their own sections themselves.</summary>
public sealed class SqlPersistence
{
    public const string JournalConfigPath = "akka.persistence.journal.sql";
    public const string SnapshotStoreConfigPath = "akka.persistence.snapshot-store.sql";

    private SqlPersistence() { }

    public static Config DefaultConfiguration { get; } =
        ConfigurationFactory.FromResource<SqlPersistence>("Akka.Persistence.Sql.persistence.conf");

    internal static Config DefaultJournalConfiguration => DefaultConfiguration.GetConfig(JournalConfigPath);

    internal static Config DefaultSnapshotStoreConfiguration => DefaultConfiguration.GetConfig(SnapshotStoreConfigPath);
}
