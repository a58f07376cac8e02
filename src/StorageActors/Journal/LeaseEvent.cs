using StorageActors.Protocol;

namespace StorageActors.Journal;

/// <summary>What happened to the leases of one layer.</summary>
internal static class LeaseEvent
{
    /// <summary>A lease was granted, or handed over to another owner.</summary>
    /// <param name="Lease">Its name.</param>
    /// <param name="Owner">The path of an actor, a <see cref="LeaseOwner"/>, or <see cref="ExternalOwner"/>.</param>
    /// <param name="Since">When.</param>
    /// <param name="BootId">Boot of the machine; no mount survives another one.</param>
    /// <param name="Run">Run of the engine; no actor survives another one.</param>
    /// <param name="Mode">How the layer was mounted.</param>
    /// <param name="Options">The further mount options, to mount it again.</param>
    /// <param name="Until">When it ends by itself, if it does.</param>
    /// <param name="Ids">Whose ids the mount shows, if not those of the layer's record.</param>
    internal sealed record Granted(
        LeaseId Lease,
        string Owner,
        DateTimeOffset Since,
        string BootId,
        string Run,
        MountMode Mode,
        IReadOnlyList<string>? Options = null,
        DateTimeOffset? Until = null,
        IdMap? Ids = null)
        : IJournalEvent
    {
        /// <summary>Whether an actor holds it, which no other run of the engine has.</summary>
        internal bool IsActors => IsActor(Owner);

        /// <summary>Whether it may end without anybody saying so.</summary>
        internal bool IsWatched => Until is not null || IsProcess(out _, out _);

        /// <summary>Whether it has ended by itself, and why: its term, or the end of the process that it belongs to.</summary>
        /// <param name="now">The time.</param>
        /// <param name="startTime">When a process started; null when there is none.</param>
        internal string? WhyOver(DateTimeOffset now, Func<int, long?> startTime)
        {
            if (Until is { } until && now >= until) return "its term is over";
            return IsProcess(out var pid, out var started) && startTime(pid) != started ? $"process {pid} has ended" : null;
        }

        private bool IsProcess(out int pid, out long startTime)
        {
            (pid, startTime) = (0, 0);
            return Owner != ExternalOwner && !IsActors && LeaseOwner.Parse(Owner).IsProcess(out pid, out startTime);
        }
    }

    /// <summary>A lease ended; with a reason when its owner did not end it.</summary>
    internal sealed record Released(LeaseId Lease, string? Reason = null) : IJournalEvent;

    /// <summary>Every lease ended.</summary>
    internal sealed record Cleared : IJournalEvent;

    /// <summary>The leases at one moment, oldest first.</summary>
    internal sealed record Snapshot(IReadOnlyList<Granted> Leases) : IJournalEvent;

    /// <summary>The owner of a lease that no actor holds and nobody was named for: ended by a release or by a reboot alone.</summary>
    internal const string ExternalOwner = "external";

    /// <summary>Whether an owner is an actor: its path.</summary>
    internal static bool IsActor(string owner) => owner.StartsWith("akka", StringComparison.Ordinal);
}
