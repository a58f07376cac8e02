namespace StorageActors.Archive.Apply;

/// <summary>What becomes of an extended attribute between an archive and a file.</summary>
internal enum XattrRule
{
    /// <summary>Kept under its name.</summary>
    Keep,

    /// <summary>Kept under another name, since the kernel would take this one for its own.</summary>
    Rename,

    /// <summary>Left out without a word: it belongs to the host.</summary>
    Ignore,

    /// <summary>Left out with a warning: it cannot be kept safely.</summary>
    Drop,
}
