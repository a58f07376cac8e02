namespace StorageActors.Linux;

/// <summary>
/// Newer calls for which there is an older way. One is given up when the kernel, or a container's filter, turns out not to know it.
/// Tests set them, to walk the older way on a new kernel.
/// </summary>
internal static class KernelFeatures
{
    /// <summary>openat2 (5.6); without it paths are walked component by component: <see cref="RootedWalk"/>.</summary>
    internal static bool OpenAt2 { get; set; } = true;

    /// <summary>fchmodat2 (6.6); without it through procfs.</summary>
    internal static bool FChmodAt2 { get; set; } = true;

    /// <summary>setxattrat and its family (6.13); without them through procfs.</summary>
    internal static bool XattrAt { get; set; } = Libc.ProbeXattrAt();
}
