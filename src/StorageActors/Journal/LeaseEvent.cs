using StorageActors.Protocol;

namespace StorageActors.Journal;

/// <summary>What happened to the leases of one layer.</summary>
internal static class LeaseEvent
{
    /// <summary>A lease was granted, or handed over to another owner.</summary>
    /// <param name="Lease">Its name.</param>
    /// <param name="Owner">The path of an actor, or <see cref="ExternalOwner"/>.</param>
    /// <param name="Since">When.</param>
    /// <param name="BootId">Boot of the machine; no mount survives another one.</param>
    /// <param name="Run">Run of the engine; no actor survives another one.</param>
    /// <param name="Mode">How the layer was mounted.</param>
    /// <param name="Options">The further mount options, to mount it again.</param>
    internal sealed record Granted(
        LeaseId Lease, string Owner, DateTimeOffset Since, string BootId, string Run, MountMode Mode, IReadOnlyList<string>? Options = null)
        : IJournalEvent;

    /// <summary>A lease ended.</summary>
    internal sealed record Released(LeaseId Lease) : IJournalEvent;

    /// <summary>Every lease ended.</summary>
    internal sealed record Cleared : IJournalEvent;

    /// <summary>The leases at one moment, oldest first.</summary>
    internal sealed record Snapshot(IReadOnlyList<Granted> Leases) : IJournalEvent;

    /// <summary>The owner of a lease that no actor holds: ended by a release or by a reboot alone.</summary>
    internal const string ExternalOwner = "external";
}
