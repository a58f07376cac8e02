using Akka.Configuration;
using StorageActors.Archive.Apply;
using StorageActors.DriverOperations;
using StorageActors.Drivers;
using StorageActors.Journal;
using StorageActors.Protocol;

namespace StorageActors.Settings;

/// <summary>What a store's section of the configuration says, checked; <c>reference.conf</c> has a word on each key.</summary>
internal sealed record StorageSettings
{
    /// <summary>Where the section of the only store, or the first, is.</summary>
    internal const string DefaultPath = "storage-actors";

    /// <summary>SQLite opens no path of more than 504 bytes, and the journal is <c>journal.db</c> in the root.</summary>
    private const int LongestRoot = 504 - 11;

    /// <summary>The section's path, which names the store in the actor system.</summary>
    internal required string Path { get; init; }

    internal required string Root { get; init; }

    /// <summary>Where a node of this store listens.</summary>
    internal string Socket { get; init; } = "";

    /// <summary>Null: the one that the store was made with, or the best.</summary>
    internal string? Driver { get; init; }

    internal Durability Durability { get; init; } = Durability.Full;

    /// <summary>Whether a reply promises that the disk has it.</summary>
    internal bool IsDurable => Durability == Durability.Full;

    /// <summary>Roots of stores that are only read, in the order in which they are searched after this one.</summary>
    internal IReadOnlyList<string> AdditionalStores { get; init; } = [];

    internal IReadOnlyList<string> MountOptions { get; init; } = [];

    internal bool IgnoreChownErrors { get; init; }

    /// <summary>Mode of the root of a layer that has no parent and whose archive says none.</summary>
    internal uint RootMode { get; init; } = ExtractTarget.DefaultRootMode;

    /// <summary>What the roots of layers are labelled with; null for nothing.</summary>
    internal SelinuxLabel? Label { get; init; }

    /// <summary>Whose ids a writable layer without a parent has when nobody says.</summary>
    internal IdMap Ids { get; init; } = IdMap.Host;

    internal int StagingParallelism { get; init; } = Environment.ProcessorCount;

    internal int StagingQueue { get; init; } = 64;

    internal ExtractionLimits Limits { get; init; } = ExtractionLimits.None;

    internal TimeSpan IdleTimeout { get; init; } = TimeSpan.FromMinutes(2);

    internal TimeSpan LingerRetry { get; init; } = TimeSpan.FromSeconds(10);

    internal TimeSpan TermCheck { get; init; } = TimeSpan.FromSeconds(2);

    internal RetryPolicy Retries { get; init; } = RetryPolicy.Default;

    internal int SnapshotEvery { get; init; } = 500;

    /// <summary>So many layers have the journal's snapshot packed.</summary>
    internal long PackFrom { get; init; } = PackedSnapshot.Least;

    internal TimeSpan SweepInterval { get; init; } = TimeSpan.FromMinutes(10);

    internal TimeSpan DrainTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Whether the journal is the store's own file, and no database that the configuration names.</summary>
    internal bool HasOwnJournal { get; init; } = true;

    internal string JournalProvider { get; init; } = "";

    internal string JournalPluginId => Path + ".journal";

    internal string SnapshotPluginId => Path + ".snapshots";

    /// <summary>Reads the section at a path, over the defaults.</summary>
    /// <exception cref="StorageException">Invalid argument: the message names the key, its value, and what it may be.</exception>
    internal static StorageSettings From(Config config, string path)
    {
        var section = new SettingsSection(path, (config.GetConfig(path) ?? Config.Empty).WithFallback(StorageConfiguration.Reference.GetConfig(DefaultPath)));
        var hasJournal = section.Word("journal.connection-string").Length == 0
            && section.Word("journal.class") == StorageConfiguration.Reference.GetString($"{DefaultPath}.journal.class");
        var parallelism = section.Count("staging.parallelism", 0);
        var root = section.Directory("root", hasJournal ? LongestRoot : int.MaxValue);
        return new StorageSettings
        {
            Path = path,
            HasOwnJournal = hasJournal,
            JournalProvider = section.Word("journal.provider-name"),
            Root = root,
            Socket = section.Word("socket") is { Length: > 0 } socket ? socket : System.IO.Path.Combine(root, "node.sock"),
            Driver = section.Word("driver") is var driver && driver == "auto" ? null : driver,
            Durability = section.Choice<Durability>("durability"),
            AdditionalStores = section.Directories("additional-stores"),
            MountOptions = section.Words("mount-options"),
            IgnoreChownErrors = section.Flag("ignore-chown-errors"),
            RootMode = section.Mode("root-mode"),
            Label = section.Label("selinux-label"),
            Ids = section.Ids("default-ids"),
            StagingParallelism = parallelism == 0 ? Environment.ProcessorCount : parallelism,
            StagingQueue = section.Count("staging.queue", 1),
            Limits = new ExtractionLimits(
                section.Limit("limits.size", isSize: true), section.Limit("limits.entries", isSize: false),
                section.Limit("limits.ratio", isSize: false), section.Limit("limits.ratio-from", isSize: true)),
            IdleTimeout = section.Time("layers.idle-timeout"),
            TermCheck = section.Time("layers.lease-check"),
            LingerRetry = section.Time("layers.linger-retry"),
            Retries = new RetryPolicy(section.Count("retry.times", 0), section.Time("retry.pause"), section.Time("retry.longest-pause")),
            SnapshotEvery = section.Count("catalog.snapshot-every", 1),
            PackFrom = section.Limit("catalog.pack-from", isSize: false),
            SweepInterval = section.Time("trash.sweep-interval"),
            DrainTimeout = section.Time("drain-timeout"),
        };
    }

    /// <summary>The settings in force, for <c>info</c>.</summary>
    internal IReadOnlyList<StoreFact> ToFacts() =>
    [
        Fact("socket", Socket),
        Fact("durability", Durability.ToString().ToLowerInvariant()),
        Fact("additional-stores", AdditionalStores.Count == 0 ? "none" : string.Join(",", AdditionalStores)),
        Fact("mount-options", MountOptions.Count == 0 ? "none" : string.Join(",", MountOptions)),
        Fact("ignore-chown-errors", IgnoreChownErrors ? "on" : "off"),
        Fact("root-mode", Convert.ToString(RootMode, 8).PadLeft(4, '0')),
        Fact("selinux-label", Label?.Text ?? "none"),
        Fact("default-ids", Ids),
        Fact("staging.parallelism", StagingParallelism),
        Fact("staging.queue", StagingQueue),
        Limit("limits.size", Limits.Size),
        Limit("limits.entries", Limits.Entries),
        Limit("limits.ratio", Limits.Ratio),
        Limit("limits.ratio-from", Limits.RatioFrom),
        Fact("layers.idle-timeout", IdleTimeout),
        Fact("layers.linger-retry", LingerRetry),
        Fact("layers.lease-check", TermCheck),
        Fact("retry.times", Retries.MaximumRetries),
        Fact("retry.pause", Retries.Pause),
        Fact("retry.longest-pause", Retries.LongestPause),
        Fact("catalog.snapshot-every", SnapshotEvery),
        Limit("catalog.pack-from", PackFrom),
        Fact("trash.sweep-interval", SweepInterval),
        Fact("drain-timeout", DrainTimeout),
        Fact("journal.provider-name", JournalProvider),
        Fact("journal.connection-string", HasOwnJournal ? "journal.db in the root" : "of the configuration"), // Which may have a password.
    ];

    private static StoreFact Limit(string name, long value) => Fact(name, value == long.MaxValue ? "unlimited" : value);

    private static StoreFact Fact(string name, object value) => new("settings", name, FormattableString.Invariant($"{value}"));
}

/// <summary>What a reply promises about the disk.</summary>
internal enum Durability
{
    /// <summary>The disk has it.</summary>
    Full,

    /// <summary>The kernel has it.</summary>
    None,
}
