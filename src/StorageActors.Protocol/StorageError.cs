namespace StorageActors.Protocol;

/// <summary>Why a command was refused, in a form that travels.</summary>
/// <param name="Code">The kind of refusal.</param>
/// <param name="Operation">What was being done: a verb of the protocol or a system call.</param>
/// <param name="Message">What failed, why, and what to do next; one sentence or two, no line breaks.</param>
/// <param name="Path">The path that it was done to, if one was.</param>
/// <param name="Errno">The error's name as in <c>errno.h</c> (<c>ENOSPC</c>), if a system call failed.</param>
/// <param name="Reason">Which refusal of this kind it is, where that is known.</param>
/// <param name="Layer">The layer that it is about, if it is about one; of a conflict the one that is there, so that nobody has to ask for it.</param>
/// <param name="Image">The same for an image.</param>
public sealed record StorageError(
    StorageErrorCode Code,
    string Operation,
    string Message,
    string? Path = null,
    string? Errno = null,
    StorageErrorReason? Reason = null,
    LayerId? Layer = null,
    ImageId? Image = null)
{
    /// <inheritdoc/>
    public override string ToString() => Errno is null ? $"{Operation}: {Message}" : $"{Operation}: {Message} ({Errno})";
}
