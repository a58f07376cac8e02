namespace StorageActors.TestSupport;

/// <summary>What may lie in the directories of a store, of the driver overlay, while an engine serves it and nothing is under way: whatever else does was left behind.</summary>
public static class StoreNames
{
    /// <summary>What its root may have in it.</summary>
    public static IReadOnlySet<string> OfRoot { get; } = new HashSet<string>(StringComparer.Ordinal)
    {
        "format.json", "owner.lock", "store.lock", "journal.db", "journal.db-wal", "journal.db-shm", "reserve", "names", "overlay", "staging", "trash", "images",
    };

    /// <summary>What a layer's directory may have in it.</summary>
    public static IReadOnlySet<string> OfLayer { get; } = new HashSet<string>(StringComparer.Ordinal)
    {
        "layer.json", "diff", "tar-split.json.gz", "usage.json", "link", "lower", "lower-layers", "work", "merged", "empty",
    };
}
