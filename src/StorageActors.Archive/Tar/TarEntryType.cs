namespace StorageActors.Archive.Tar;

/// <summary>What an entry describes.</summary>
internal enum TarEntryType
{
    /// <summary>A type flag this reader gives no meaning to; see <see cref="TarEntry.TypeFlag"/>.</summary>
    Unknown,

    /// <summary>A regular file: flags <c>0</c>, NUL, <c>7</c>, and <c>S</c> (old GNU sparse).</summary>
    RegularFile,

    /// <summary>Another name of an earlier entry.</summary>
    HardLink,

    /// <summary>A symbolic link; its target is stored verbatim.</summary>
    SymbolicLink,

    /// <summary>A character device.</summary>
    CharacterDevice,

    /// <summary>A block device.</summary>
    BlockDevice,

    /// <summary>A directory: flag <c>5</c>, or NUL with a name that ends in a slash.</summary>
    Directory,

    /// <summary>A named pipe.</summary>
    Fifo,
}
