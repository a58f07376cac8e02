using StorageActors.Drivers.Mounting;

namespace StorageActors.Drivers.Overlay;

/// <summary>What one overlay mount is made of. Paths are absolute and below the store's root.</summary>
/// <param name="Lowers">Read-only directories, topmost first; at least two without an upper, at least one with it.</param>
/// <param name="Upper">Takes the writes; null for a read-only mount.</param>
/// <param name="Work">The kernel's scratch space beside <paramref name="Upper"/>.</param>
/// <param name="Words">Further options.</param>
internal sealed record OverlayStack(IReadOnlyList<string> Lowers, string? Upper, string? Work, MountWords Words)
{
    /// <summary>Most lower directories of one mount; the kernel's limit, and that of its peers' formats.</summary>
    internal const int MaximumLowers = 500;
}
