using System.Diagnostics.CodeAnalysis;
using StorageActors.Archive.Apply;
using StorageActors.Archive.Tar;
using StorageActors.Archive.TarSplit;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Drivers;

/// <summary>
/// The one table that says what a failed system call means to a caller: which kind of refusal, whether trying again may help, and what to do next.
/// </summary>
internal static class DriverErrors
{
    private const string OwnerAdvice = "Owners other than the user's own need root, a user namespace that has their numbers (unshare --map-auto, or podman unshare, with ranges of "
        + "/etc/subuid and /etc/subgid), or the setting ignore-chown-errors = on.";

    /// <summary>Runs an operation; what it throws comes out as one of the three driver exceptions, defects as they are.</summary>
    internal static T Guard<T>(string operation, string path, Func<T> body)
    {
        try
        {
            return body();
        }
        catch (Exception e)
        {
            if (Translate(e, operation, path) is { } translated) throw translated;
            throw;
        }
    }

    /// <inheritdoc cref="Guard{T}"/>
    internal static void Guard(string operation, string path, Action body) => Guard(operation, path, () =>
    {
        body();
        return true;
    });

    /// <summary>The kind of refusal that a failed system call amounts to.</summary>
    internal static StorageErrorCode CodeOf(Errno errno) => Meaning(errno).Code;

    /// <summary>A refusal that is ours, not the kernel's.</summary>
    internal static PermanentDriverException Refuse(StorageErrorCode code, string operation, string message, string? path = null) =>
        new(new StorageError(code, operation, message, path));

    /// <summary>The refusal of a layer whose parent was removed while the layer was made.</summary>
    internal static PermanentDriverException ParentGone(LayerLocation parent, string path, Errno errno) => new(new StorageError(
        StorageErrorCode.NotFound, "begin", $"The parent layer {parent.Id} is not there any more; choose another one, or run check if nobody removed it.",
        path, errno.ToString(), StorageErrorReason.UnknownParent, parent.Id));

    /// <summary>Refuses other ids than the host's where a driver cannot show them.</summary>
    internal static void CheckIds(ILayerDriver driver, IdMap ids, string operation)
    {
        if (!ids.IsHost() && driver.NoIdMaps is { } why) throw NoIdMaps(operation, why, ids);
    }

    /// <summary>The refusal of a map of ids.</summary>
    internal static PermanentDriverException NoIdMaps(string operation, string why, IdMap ids) => Refuse(
        StorageErrorCode.Unsupported, operation,
        $"Layers cannot be shown with the ids of a container ({ids}): {why}. Use host ids, or the driver overlay on Linux 6.15 or later, on a file system with idmapped mounts.");

    /// <summary>The driver's exception for another one; null for a driver's own and for defects.</summary>
    internal static DriverException? Translate(Exception exception, string operation, string path) => exception switch
    {
        DriverException => null,
        LinuxException e => Of(e, operation, path),
        LayerApplyException e => new PermanentDriverException(e.Error, e),
        TarSplitException e => Refuse(e, StorageErrorCode.Damaged, "The layer's content is not what was applied; run check --full.", operation, path),
        FileChangedException e => Refuse(e, StorageErrorCode.InUse, "Somebody writes to the layer; try again when nobody does.", operation, path),
        UnmappedIdException e => Refuse(e, StorageErrorCode.BadInput, "Use a map that has the id, or give the file an owner of the container.", operation, path),
        OperationCanceledException => new PermanentDriverException(
            new StorageError(StorageErrorCode.Cancelled, operation, "cancelled before it was done; nothing of it is kept.", path), exception),
        _ => null,
    };

    private static PermanentDriverException Refuse(Exception e, StorageErrorCode code, string advice, string operation, string path) =>
        new(new StorageError(code, operation, $"{e.Message.TrimEnd('.')}. {advice}", path), e);

    private static DriverException Of(LinuxException e, string operation, string path)
    {
        var (code, transient, advice) = IsOwner(e) ? (StorageErrorCode.Unsupported, false, OwnerAdvice) : Meaning(e.Errno);
        // A step of a mount names an option, not a path.
        var where = e.Path.StartsWith('/') ? e.Path : path;
        var error = new StorageError(code, operation, $"{e.Message}. {advice}", where, e.Errno.ToString());
        return transient ? new TransientDriverException(error, e) : new PermanentDriverException(error, e);
    }

    /// <summary>Whether an owner was refused: for want of CAP_CHOWN, or because a user namespace has no such number.</summary>
    private static bool IsOwner(LinuxException e) => e.Operation.Contains("chown", StringComparison.Ordinal) && e.Errno is Errno.EPERM or Errno.EINVAL;

    [SuppressMessage("Maintainability", "CA1502", Justification = "A table.")]
    private static (StorageErrorCode Code, bool Transient, string Advice) Meaning(Errno errno) => errno switch
    {
        Errno.EBUSY => (StorageErrorCode.InUse, true, "Somebody uses it; end that and try again."),
        Errno.EAGAIN or Errno.EINTR => (StorageErrorCode.Busy, true, "Try again."),
        Errno.ENOMEM => (StorageErrorCode.Busy, true, "The machine is short of memory; try again when it has some."),
        Errno.EMFILE => (StorageErrorCode.Busy, true, "Raise the process's limit of open files (ulimit -n)."),
        Errno.ENFILE => (StorageErrorCode.Busy, true, "Raise the system's limit of open files (fs.file-max)."),
        Errno.ESTALE => (StorageErrorCode.Io, true, "The file system lost track of it; try again, and see its server's log if that does not help."),

        Errno.ENOSPC => (StorageErrorCode.NoSpace, false, "Free space or inodes on the store's file system: remove layers, or run gc."),
        Errno.EDQUOT => (StorageErrorCode.NoSpace, false, "The quota is used up: remove layers, run gc, or raise it."),
        Errno.EFBIG => (StorageErrorCode.NoSpace, false, "The file system, or the process's limit (ulimit -f), has no room for so large a file."),

        Errno.ENOENT or Errno.ENOTDIR => (StorageErrorCode.NotFound, false, "The layer, or a part of it, is not there; run check."),
        Errno.EEXIST or Errno.ENOTEMPTY => (StorageErrorCode.AlreadyExists, false, "Something is in the way; run check."),

        Errno.EPERM or Errno.EACCES => (StorageErrorCode.Unsupported, false,
            "The store needs root with CAP_SYS_ADMIN, of the machine or of a user namespace; a security module, a seccomp filter or an immutable flag may refuse as well."),
        Errno.EROFS => (StorageErrorCode.Io, false, "The file system is read-only; the kernel's log (dmesg) says why if it was not meant to be."),
        Errno.EOPNOTSUPP or Errno.ENOSYS or Errno.ENODEV or Errno.ENOTTY or Errno.EXDEV => (StorageErrorCode.Unsupported, false,
            "The kernel or the store's file system cannot do this; see info for what they can."),
        Errno.EINVAL => (StorageErrorCode.Unsupported, false, "The kernel refuses it; its log (dmesg) may say why."),
        Errno.E2BIG or Errno.ENAMETOOLONG or Errno.EMLINK or Errno.ELOOP or Errno.EOVERFLOW => (StorageErrorCode.LimitExceeded, false,
            "This is over a limit of the kernel or of the file system."),

        Errno.EIO or Errno.EUCLEAN or Errno.EBADMSG or Errno.EREMOTEIO => (StorageErrorCode.Io, false,
            "The disk or its file system is damaged; see the kernel's log (dmesg)."),
        _ => (StorageErrorCode.Io, false, "See the kernel's log (dmesg)."),
    };
}
