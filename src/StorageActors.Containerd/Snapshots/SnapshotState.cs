namespace StorageActors.Containerd.Snapshots;

/// <summary>Where a snapshot stands.</summary>
internal enum SnapshotState
{
    /// <summary>Read-only; nothing is ever written to it.</summary>
    View,

    /// <summary>Takes writes.</summary>
    Active,

    /// <summary>Done, under the name that its commit gave it; others may stand on it.</summary>
    Committed,
}
