namespace StorageActors.Archive.TarSplit;

/// <summary>A layer's archive cannot be put together again: the record of its structure is damaged, or a file of the layer is not what
/// the archive had.</summary>
public sealed class TarSplitException : IOException
{
    /// <summary>Describes what does not fit.</summary>
    /// <param name="message">What was found, and what was expected.</param>
    /// <param name="entryName">The entry concerned, printable, or null.</param>
    /// <param name="inner">What lies behind, or null.</param>
    public TarSplitException(string message, string? entryName = null, Exception? inner = null)
        : base(entryName is null ? message : $"\"{entryName}\": {message}", inner) => EntryName = entryName;

    /// <summary>The archive entry concerned, printable; null if the fault is not one entry's.</summary>
    public string? EntryName { get; }
}
