using System.Diagnostics;
using System.Globalization;

namespace StorageActors.Store;

/// <summary>
/// Named places at which a test lets the process die, as if the power had gone: the environment variable <c>STORAGE_ACTORS_CRASH_AT=name[:n]</c> makes
/// the process kill itself when it reaches that place for the n-th time. Without it a place costs one check of a constant.
/// </summary>
internal static class CrashPoint
{
    internal const string Variable = "STORAGE_ACTORS_CRASH_AT";

    // Making a store.
    internal const string StoreMade = "store-made";
    internal const string FormatWritten = "format-written";

    // Staging a layer.
    internal const string StagingCreated = "staging-created";
    internal const string LayerBegun = "layer-begun";
    internal const string Extracted = "extracted";
    internal const string Rebased = "rebased";
    internal const string Finished = "finished";
    internal const string StagingEnded = "staging-ended";

    // Making it durable, and one rename.
    internal const string BeforeSync = "before-sync";
    internal const string AfterSync = "after-sync";
    internal const string BeforeRename = "before-rename";
    internal const string Rehearsed = "rehearsed";
    internal const string AfterRename = "after-rename";
    internal const string RenameDurable = "rename-durable";

    // The catalog's journal and its snapshots.
    internal const string BeforeJournal = "before-journal";
    internal const string AfterJournal = "after-journal";
    internal const string BeforeSnapshot = "before-snapshot";
    internal const string SnapshotSaved = "snapshot-saved";
    internal const string EventsDeleted = "events-deleted";

    // The store says what its snapshot is; and at its end, what names it has.
    internal const string MarkWritten = "mark-written";
    internal const string StoreMarked = "store-marked";
    internal const string StoreUnmarked = "store-unmarked";
    internal const string NamesBegun = "names-begun";

    // The record in a directory.
    internal const string BeforeRecordFile = "before-record-file";
    internal const string RecordFileWritten = "record-file-written";
    internal const string AfterRecordFile = "after-record-file";

    // A writable layer becomes a sealed one.
    internal const string BeforeSeal = "before-seal";
    internal const string AfterSeal = "after-seal";

    // Images.
    internal const string ImageStaged = "image-staged";
    internal const string ImageRenamed = "image-renamed";
    internal const string ImageDurable = "image-durable";
    internal const string ImageTrashed = "image-trashed";

    // Mounts and leases.
    internal const string BeforeMount = "before-mount";
    internal const string AfterMount = "after-mount";
    internal const string BeforeLease = "before-lease";
    internal const string AfterLease = "after-lease";
    internal const string BeforeUnmount = "before-unmount";
    internal const string AfterUnmount = "after-unmount";
    internal const string BeforeLeaseSnapshot = "before-lease-snapshot";
    internal const string LeaseSnapshotSaved = "lease-snapshot-saved";

    // Removal and the trash.
    internal const string BeforeRetire = "before-retire";
    internal const string BeforeTrash = "before-trash";
    internal const string AfterTrash = "after-trash";
    internal const string TrashDurable = "trash-durable";
    internal const string TrashHalfDeleted = "trash-half-deleted";
    internal const string TrashDeleted = "trash-deleted";

    // A start, which may die, too.
    internal const string RecoveryListed = "recovery-listed";
    internal const string RecoveryReconciled = "recovery-reconciled";
    internal const string RecoverySettled = "recovery-settled";
    internal const string StagingSwept = "staging-swept";

    /// <summary>All of them; a test kills the process at each.</summary>
    internal static readonly IReadOnlyList<string> Names =
    [
        StoreMade, FormatWritten,
        StagingCreated, LayerBegun, Extracted, Rebased, Finished, StagingEnded,
        BeforeSync, AfterSync, BeforeRename, Rehearsed, AfterRename, RenameDurable,
        BeforeJournal, AfterJournal, BeforeSnapshot, SnapshotSaved, EventsDeleted,
        MarkWritten, StoreMarked, StoreUnmarked, NamesBegun,
        BeforeRecordFile, RecordFileWritten, AfterRecordFile,
        BeforeSeal, AfterSeal,
        ImageStaged, ImageRenamed, ImageDurable, ImageTrashed,
        BeforeMount, AfterMount, BeforeLease, AfterLease, BeforeUnmount, AfterUnmount, BeforeLeaseSnapshot, LeaseSnapshotSaved,
        BeforeRetire, BeforeTrash, AfterTrash, TrashDurable, TrashHalfDeleted, TrashDeleted,
        RecoveryListed, RecoveryReconciled, RecoverySettled, StagingSwept,
    ];

    private static readonly CrashOrder? Order = CrashOrder.Parse(Environment.GetEnvironmentVariable(Variable));

    /// <summary>Dies here, if this is the place.</summary>
    internal static void Reached(string name)
    {
        if (Order is null || !Order.IsDue(name)) return;
        using var self = Process.GetCurrentProcess();
        self.Kill(); // SIGKILL: no handler runs, nothing is flushed.
    }
}

/// <summary>Where to die, and at which passing.</summary>
internal sealed class CrashOrder(string name, int passing)
{
    private int _left = passing;

    /// <summary>Reads <c>name[:n]</c>; null for none.</summary>
    /// <exception cref="ArgumentException">There is no such place: a test that dies nowhere would prove nothing.</exception>
    internal static CrashOrder? Parse(string? text)
    {
        if (string.IsNullOrEmpty(text)) return null;
        var parts = text.Split(':', 2);
        if (!CrashPoint.Names.Contains(parts[0], StringComparer.Ordinal))
            throw new ArgumentException($"{CrashPoint.Variable}: there is no crash point \"{parts[0]}\"; there are {string.Join(", ", CrashPoint.Names)}", nameof(text));
        return new CrashOrder(parts[0], parts.Length == 1 ? 1 : int.Parse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture));
    }

    /// <summary>True once, at the right passing of the right place.</summary>
    internal bool IsDue(string reached) => string.Equals(reached, name, StringComparison.Ordinal) && Interlocked.Decrement(ref _left) == 0;
}
