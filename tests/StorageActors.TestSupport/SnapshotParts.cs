namespace StorageActors.TestSupport;

/// <summary>Which attributes a <see cref="TreeSnapshot"/> shows. Name, type, size, link target and device are always shown.</summary>
[Flags]
public enum SnapshotParts
{
    /// <summary>Names, types, sizes, link targets and devices only.</summary>
    None = 0,

    /// <summary>Permissions, with setuid, setgid and sticky.</summary>
    Mode = 1,

    /// <summary>Numeric owner and group.</summary>
    Owner = 2,

    /// <summary>SHA-256 of each regular file.</summary>
    Content = 4,

    /// <summary>Modification times, to the nanosecond, of all but directories.</summary>
    Times = 8,

    /// <summary>Modification times of directories.</summary>
    DirectoryTimes = 16,

    /// <summary>Extended attributes with their values.</summary>
    Xattrs = 32,

    /// <summary>Which names are one file.</summary>
    HardLinks = 64,

    /// <summary>Times of access, to the nanosecond, of all but symbolic links, which cannot be read without changing it.</summary>
    AccessTimes = 128,

    /// <summary>Everything but the times of access.</summary>
    All = Mode | Owner | Content | Times | DirectoryTimes | Xattrs | HardLinks,
}
