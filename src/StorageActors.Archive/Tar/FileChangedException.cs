namespace StorageActors.Archive.Tar;

/// <summary>A file became shorter while it was read into an archive.</summary>
internal sealed class FileChangedException(long announced, long found)
    : IOException($"the file became shorter while it was read: {found} of {announced} bytes were there")
{
    /// <summary>The size in the entry's header.</summary>
    internal long Announced { get; } = announced;

    /// <summary>Where the file ended.</summary>
    internal long Found { get; } = found;
}
