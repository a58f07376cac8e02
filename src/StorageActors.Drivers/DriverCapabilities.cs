namespace StorageActors.Drivers;

/// <summary>What a driver can do; callers and tests ask these, never a driver's name.</summary>
[Flags]
internal enum DriverCapabilities
{
    None = 0,

    /// <summary>A layer can be extracted before its parents are known and rebased onto them afterwards.</summary>
    Rebase = 1,

    /// <summary>A layer's directory holds its own changes alone, so a diff against the parent needs no comparison.</summary>
    NativeDiff = 2,

    /// <summary>Mounting makes a kernel mount (false: the layer's directory itself is the path).</summary>
    KernelMount = 4,

    /// <summary>A read-only view refuses writes.</summary>
    ReadOnlyMounts = 8,

    /// <summary>The union hides a directory's old content by an opaque mark.</summary>
    Opaque = 16,

    /// <summary>A layer without parents is mounted like any other (false: its directory is the path unless a mount's options are asked for).</summary>
    BaseMounts = 32,

    /// <summary>A mount may be volatile: nothing is synced, and a restart of the machine ends it.</summary>
    VolatileMounts = 64,

    /// <summary>Layers may stand on layers of another store, which may lie on another file system and is only read.</summary>
    AdditionalStores = 128,

    /// <summary>
    /// What the kernel has to know of a layer's directories is in attributes that need no rights of the machine's root (<c>user.overlay.</c>): layers of this form and of the other
    /// are not each other's.
    /// </summary>
    UserXattrs = 256,
}
