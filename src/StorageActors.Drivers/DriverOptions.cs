using StorageActors.Archive.Apply;
using StorageActors.Protocol;

namespace StorageActors.Drivers;

/// <summary>What a store's settings say to its driver.</summary>
internal sealed record DriverOptions
{
    /// <summary>Words that every mount gets besides those of its request; see <see cref="Mounting.MountWords"/>.</summary>
    internal IReadOnlyList<string> MountOptions { get; init; } = [];

    /// <summary>Whether an owner that the kernel refuses stays the process's own instead of failing the operation; see <see cref="OwnerWriter"/>.</summary>
    internal bool IgnoreChownErrors { get; init; }

    /// <summary>Mode of the root of a layer that has no parent and whose archive says none.</summary>
    internal uint RootMode { get; init; } = ExtractTarget.DefaultRootMode;

    /// <summary>What the roots of layers are labelled with when they are made; null for nothing.</summary>
    internal SelinuxLabel? Label { get; init; }

    /// <summary>The boot that this is; null to ask the kernel. A test names another one instead of restarting the machine.</summary>
    internal string? BootId { get; init; }

    /// <summary>The way to mount; null for the best one that works here. Pinned by tests and by <c>info</c>'s advice on odd kernels.</summary>
    internal Overlay.OverlayMethod? OverlayMethod { get; init; }

    /// <summary>
    /// Whether overlay keeps its marks in <c>user.overlay.</c> attributes; null for what this process has the rights to (a user namespace has none to others). Pinned by tests, as root may have either.
    /// </summary>
    internal bool? UserXattrs { get; init; }

    /// <summary>The clock by which what was seen on the disk a while ago is trusted; a test moves it on.</summary>
    internal TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Is told, from any thread, what went wrong without keeping an operation from being done; null for nobody.</summary>
    internal Action<string>? Warn { get; init; }

    /// <summary>For one operation.</summary>
    /// <param name="ids">Which ids of the host those of the container are; none: the same.</param>
    internal OwnerWriter NewOwners(IdMap? ids = null) =>
        IgnoreChownErrors || ids is not null ? new OwnerWriter(isTolerant: IgnoreChownErrors, ids) : OwnerWriter.Exact;
}
