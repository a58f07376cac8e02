namespace StorageActors.Archive.Tar;

/// <summary>What a <see cref="TarWriter"/> is to write about an entry.</summary>
internal ref struct TarItem
{
    /// <summary>What the entry describes; not <see cref="TarEntryType.Unknown"/>.</summary>
    internal required TarEntryType Type { get; init; }

    /// <summary>The name; a directory's gets its final slash from the writer.</summary>
    internal required ReadOnlySpan<byte> Name { get; init; }

    /// <summary>Target of a link.</summary>
    internal ReadOnlySpan<byte> LinkName { get; init; }

    /// <summary>Permission, set-id and sticky bits.</summary>
    internal int Mode { get; init; }

    /// <summary>Owner.</summary>
    internal long Uid { get; init; }

    /// <summary>Group.</summary>
    internal long Gid { get; init; }

    /// <summary>Length of the payload that follows; 0 for everything but regular files.</summary>
    internal long Size { get; init; }

    /// <summary>Time of last change; its nanoseconds are written only when the writer is told to.</summary>
    internal TarTime Mtime { get; init; }

    /// <summary>Major number of a device.</summary>
    internal long DeviceMajor { get; init; }

    /// <summary>Minor number of a device.</summary>
    internal long DeviceMinor { get; init; }

    /// <summary>Extended attributes; written in the order of their names.</summary>
    internal ReadOnlySpan<TarXattr> Xattrs { get; init; }
}
