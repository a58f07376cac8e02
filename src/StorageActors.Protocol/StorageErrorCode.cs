namespace StorageActors.Protocol;

/// <summary>What kind of refusal an error is; a caller decides by it what to do. The command maps it to its exit code.</summary>
public enum StorageErrorCode
{
    /// <summary>No such layer, image, lease, name, ticket or big-data item.</summary>
    NotFound,

    /// <summary>The id or name is taken.</summary>
    AlreadyExists,

    /// <summary>Held: by children, images, leases, or by somebody who keeps the mount busy.</summary>
    InUse,

    /// <summary>The layer is not in the state that the command needs: not mounted, sealed already, not sealed.</summary>
    WrongState,

    /// <summary>The command itself makes no sense: a malformed name, contradictory options.</summary>
    InvalidArgument,

    /// <summary>The input is malformed, hostile or truncated.</summary>
    BadInput,

    /// <summary>The input is over a limit that the caller or the store has set.</summary>
    LimitExceeded,

    /// <summary>What was read has another digest or size than the caller expects.</summary>
    DigestMismatch,

    /// <summary>Too much is queued already; ask again later.</summary>
    Busy,

    /// <summary>The caller cancelled, or died.</summary>
    Cancelled,

    /// <summary>The file system, the kernel or the driver cannot do it.</summary>
    Unsupported,

    /// <summary>No space, no inodes, or over quota.</summary>
    NoSpace,

    /// <summary>The layer, or the store, is damaged.</summary>
    Damaged,

    /// <summary>The store's format is not one that this version reads.</summary>
    UnknownFormat,

    /// <summary>A system call failed for a reason that none of the others names.</summary>
    Io,

    /// <summary>The engine is stopping and takes no new work.</summary>
    ShuttingDown,

    /// <summary>A defect of the store itself; its log has the stack.</summary>
    Internal,
}
