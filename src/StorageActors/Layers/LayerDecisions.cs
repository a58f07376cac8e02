using StorageActors.Protocol;

namespace StorageActors.Layers;

/// <summary>What a wish for a lease leads to.</summary>
internal abstract record AcquireDecision
{
    /// <summary>The mount is there: grant the lease, or say again that it is granted.</summary>
    internal sealed record Grant : AcquireDecision;

    /// <summary>Mount first.</summary>
    internal sealed record Mount : AcquireDecision;

    /// <summary>A mount that nobody holds is in the way, made in another manner: unmount it, then mount.</summary>
    internal sealed record Remount : AcquireDecision;

    /// <summary>It cannot be.</summary>
    internal sealed record Refuse(StorageError Error) : AcquireDecision;
}

/// <summary>What the wish to end a lease leads to.</summary>
internal abstract record ReleaseDecision
{
    /// <summary>Others stay.</summary>
    internal sealed record End(LeaseId Lease) : ReleaseDecision;

    /// <summary>It is the last: it ends when the mount is gone.</summary>
    internal sealed record Unmount(LeaseId Lease) : ReleaseDecision;

    /// <summary>All have ended, and the mount stayed because it was busy: try once more, with force if the caller says so.</summary>
    internal sealed record UnmountLingering : ReleaseDecision;

    /// <summary>There is nothing to end.</summary>
    internal sealed record Refuse(StorageError Error) : ReleaseDecision;
}
