using System.Runtime.InteropServices;
using StorageActors.Linux;

namespace StorageActors.Drivers.Overlay;

/// <summary>
/// What changes whenever something in a directory is made, removed or replaced, or it is moved itself (and when its owner or mode changes, which does no harm). File systems count time in steps of up to two seconds, and two changes
/// within one step look alike: see <see cref="IsSettled"/>.
/// </summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct DirectoryMark(ulong Inode, uint Links, TimeSpec ChangeTime)
{
    private const long SettledSeconds = 3;

    internal static DirectoryMark Of(in FileStatus status) => new(status.Inode, status.Links, status.ChangeTime);

    /// <summary>Whether the last change is so long ago that any further one has another time.</summary>
    /// <param name="now">Seconds of the clock, from before the directory was looked at.</param>
    internal bool IsSettled(long now) => now - ChangeTime.Seconds >= SettledSeconds;
}
