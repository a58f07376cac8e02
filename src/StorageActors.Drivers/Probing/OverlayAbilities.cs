using StorageActors.Drivers.Overlay;

namespace StorageActors.Drivers.Probing;

/// <summary>What overlayfs can do here: on this kernel, on the store's file system.</summary>
/// <param name="Method">The best way to mount that works.</param>
/// <param name="Detached">Layers are taken from a clone of the store's mount that is attached nowhere.</param>
/// <param name="Words">Options that every mount states, so that no default of a kernel or of its administrator decides: each as it is known here.</param>
/// <param name="Volatile">Mounts without syncing are known.</param>
/// <param name="NestedXattrs">
/// <c>trusted.overlay.overlay.X</c> in a layer shows as <c>trusted.overlay.X</c>, so overlay attributes that come in an archive can be kept (6.7).
/// </param>
/// <param name="UserXattrs">
/// The kernel's marks are <c>user.overlay.</c> attributes instead of <c>trusted.overlay.</c> ones, which only the machine's root may have; the words have <c>userxattr</c> then.
/// </param>
internal sealed record OverlayAbilities(
    OverlayMethod Method, bool Detached, IReadOnlyList<KeyValuePair<string, string>> Words, bool Volatile, bool NestedXattrs, bool UserXattrs)
{
    /// <summary>The word of a mount whose marks are attributes of users.</summary>
    internal const string UserXattrWord = "userxattr";

    /// <summary>What the names of the kernel's marks begin with.</summary>
    internal static string MarkPrefix(bool userXattrs) => userXattrs ? "user.overlay." : "trusted.overlay.";
}
