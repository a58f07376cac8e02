using Microsoft.Win32.SafeHandles;

namespace StorageActors.Drivers.Overlay;

/// <summary>
/// Makes overlay mounts in one of the ways of <see cref="OverlayMethod"/>. By descriptor any thread may; the other ways depend on one whose working
/// directory is the driver's home.
/// </summary>
internal interface IOverlayMounter
{
    /// <summary>
    /// Mounts. On failure nothing is mounted; a mount with an upper directory that the kernel made read-only is a failure (it falls back to that, with
    /// success, when it cannot set up the work directory).
    /// </summary>
    /// <returns>Whether it is read-only, as the kernel says.</returns>
    bool Mount(OverlayStack stack, string target);

    /// <summary>A read-only stack that is mounted nowhere: it is gone when the descriptor is closed.</summary>
    SafeFileHandle View(OverlayStack stack);

    /// <summary>
    /// Whether an overlay that lives has the stack's upper directory as its own, mounted where nobody sees it or not. Asks for exclusive use of it in a mount
    /// that cannot come about, so that nothing is written. False where the kernel does not say.
    /// </summary>
    bool IsUpperInUse(OverlayStack stack);
}
