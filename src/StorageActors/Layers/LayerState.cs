using System.Collections.Immutable;
using StorageActors.Drivers;
using StorageActors.Journal;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Layers;

/// <summary>
/// A layer's mount and its leases. Immutable; every transition is a pure function, and so is every decision about what a command leads to. The actor
/// adds only what takes time.
/// </summary>
/// <param name="Layer">The layer.</param>
/// <param name="Kind">Sealed or writable.</param>
/// <param name="Damage">Why it cannot be mounted, if it cannot.</param>
internal sealed record LayerState(LayerId Layer, LayerKind Kind, string? Damage)
{
    /// <summary>Whose ids it is mounted with when nobody says others.</summary>
    internal IdMap OwnIds { get; init; } = IdMap.Host;

    /// <summary>The mount that is there; null if there is none.</summary>
    internal ActiveMount? Mount { get; private init; }

    /// <summary>The options that it was made with.</summary>
    internal IReadOnlyList<string> Options { get; private init; } = [];

    /// <summary>Oldest first. Empty without a mount, but for the moments of mounting again what is held.</summary>
    internal ImmutableArray<LeaseEvent.Granted> Leases { get; private init; } = [];

    /// <summary>Mounted, though nobody holds it: somebody keeps it busy, and the next unmount will show.</summary>
    internal bool IsLingering => Mount is not null && Leases.IsEmpty;

    /// <summary>For lists of mounts; null without one.</summary>
    internal MountRecord? Record => Mount is null ? null
        : new MountRecord(Layer, Mount.Path, Mount.Mode, [.. Leases.Select(static lease => new LeaseRecord(lease.Lease, lease.Owner, lease.Since, lease.Until))], Mount.Ids.IsHost() ? null : Mount.Ids);

    /// <summary>Whose ids the mount shows, if not the layer's own: as the journal has it.</summary>
    internal IdMap? OtherIds => Mount is null || Mount.Ids.Equals(OwnIds) ? null : Mount.Ids;

    internal LeaseEvent.Granted? Find(LeaseId lease) => Leases.FirstOrDefault(granted => granted.Lease == lease);

    /// <summary>How a command wants the layer mounted: a sealed one never takes writes.</summary>
    internal MountMode ModeFor(MountOptions options) => Kind == LayerKind.Sealed || options.ReadOnly ? MountMode.ReadOnly : MountMode.ReadWrite;

    /// <summary>Whose ids a command wants to see.</summary>
    internal IdMap IdsFor(MountOptions options) => options.Ids ?? OwnIds;

    /// <summary>What an <see cref="LayerProtocol.Acquire"/> leads to.</summary>
    internal AcquireDecision Decide(LayerProtocol.Acquire command)
    {
        if (Mount is not null && Find(command.Lease) is not null) return new AcquireDecision.Grant();
        if (Damage is not null) return Refuse(StorageErrorCode.Damaged, $"layer {Layer} is damaged: {Damage}", null);
        if (Mount is null) return new AcquireDecision.Mount();
        var (wanted, ids) = (ModeFor(command.Options), IdsFor(command.Options));
        if (IsLingering && (Mount.Mode != wanted || !Mount.Ids.Equals(ids) || !Options.SequenceEqual(command.Options.Options ?? [], StringComparer.Ordinal)))
            return new AcquireDecision.Remount();
        if (!Mount.Ids.Equals(ids))
        {
            return Refuse(
                StorageErrorCode.WrongState,
                $"layer {Layer} is mounted for {Names()} with {Mount.Ids}, so it cannot be with {ids}; release that first, or make a writable layer with that map on it or its parent", StorageErrorReason.MountedWithOtherIds);
        }

        return wanted == MountMode.ReadWrite && Mount.Mode == MountMode.ReadOnly
            ? Refuse(StorageErrorCode.WrongState, $"layer {Layer} is mounted read-only for {Names()}; release that first, or ask for a read-only mount", StorageErrorReason.MountedReadOnly)
            : new AcquireDecision.Grant();
    }

    /// <summary>What a <see cref="LayerProtocol.Release"/> leads to.</summary>
    internal ReleaseDecision Decide(LayerProtocol.Release command)
    {
        if (IsLingering && command.Lease is null) return new ReleaseDecision.UnmountLingering();
        if (Leases.IsEmpty) return RefuseRelease(StorageErrorCode.WrongState, $"layer {Layer} is not mounted", StorageErrorReason.NotMounted);
        if (command.Lease is null && Leases.Length > 1)
            return RefuseRelease(StorageErrorCode.InvalidArgument, $"layer {Layer} is held by {Names()}; say which lease is to end", StorageErrorReason.AmbiguousLease);
        var lease = command.Lease ?? Leases[0].Lease;
        if (Find(lease) is null)
            return RefuseRelease(StorageErrorCode.NotFound, $"layer {Layer} has no lease {lease}; it may have been released already. It is held by {Names()}", StorageErrorReason.UnknownLease);
        return Leases.Length == 1 ? new ReleaseDecision.Unmount(lease) : new ReleaseDecision.End(lease);
    }

    /// <summary>The state with this mount.</summary>
    internal LayerState Mounted(ActiveMount mount, IReadOnlyList<string>? options) => this with { Mount = mount, Options = options ?? [] };

    /// <summary>The state without a mount and without leases.</summary>
    internal LayerState Unmounted() => this with { Mount = null, Options = [], Leases = [] };

    /// <summary>The state after what the journal says has happened to the leases.</summary>
    internal LayerState Apply(IJournalEvent happened) => happened switch
    {
        LeaseEvent.Granted granted => this with { Leases = Without(granted.Lease).Add(granted) },
        LeaseEvent.Released released => this with { Leases = Without(released.Lease) },
        LeaseEvent.Cleared => this with { Leases = [] },
        LeaseEvent.Snapshot snapshot => this with { Leases = [.. snapshot.Leases] },
        _ => throw new ArgumentException($"{happened.GetType().Name} does not happen to leases", nameof(happened)),
    };

    /// <summary>Leases that mean nothing now: of an earlier boot, whose mounts are gone, or of an actor that died with an earlier run of the engine.</summary>
    internal IEnumerable<LeaseEvent.Granted> Void(string bootId, string run) =>
        Leases.Where(lease => lease.BootId != bootId || (lease.IsActors && lease.Run != run));

    /// <summary>
    /// Leases that have ended by themselves, and why. Asking for a process is a look into memory that the kernel presents as a file, and waits for nothing.
    /// </summary>
    internal IReadOnlyList<(LeaseEvent.Granted Lease, string Why)> WhyOver(DateTimeOffset now) =>
        [.. Leases.Where(static lease => lease.IsWatched).Select(lease => (Lease: lease, Why: lease.WhyOver(now, ProcFs.StartTime))).Where(static one => one.Why is not null)!];

    /// <summary>The leases' names, for an error; the first few.</summary>
    internal string Names()
    {
        const int shown = 5;
        var names = string.Join(", ", Leases.Take(shown).Select(static lease => lease.Lease.Value));
        return Leases.Length <= shown ? names : $"{names} and {Leases.Length - shown} more";
    }

    private ImmutableArray<LeaseEvent.Granted> Without(LeaseId lease) => Leases.RemoveAll(granted => granted.Lease == lease);

    private AcquireDecision.Refuse Refuse(StorageErrorCode code, string what, StorageErrorReason? reason) =>
        new(new StorageError(code, "mount", what, Mount?.Path, Reason: reason, Layer: Layer));

    private ReleaseDecision.Refuse RefuseRelease(StorageErrorCode code, string what, StorageErrorReason reason) =>
        new(new StorageError(code, "unmount", what, Mount?.Path, Reason: reason, Layer: Layer));
}
