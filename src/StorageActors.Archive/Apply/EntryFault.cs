namespace StorageActors.Archive.Apply;

/// <summary>Why the current entry is refused; whoever knows its number and name makes a <see cref="LayerApplyException"/> of it.</summary>
internal sealed class EntryFault(string reason, bool overLimit = false) : Exception(reason)
{
    internal bool OverLimit { get; } = overLimit;
}
