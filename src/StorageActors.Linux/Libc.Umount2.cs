using System.Runtime.InteropServices;

namespace StorageActors.Linux;

internal static partial class Libc
{
    [LibraryImport(Library, EntryPoint = "umount2", SetLastError = true)]
    private static unsafe partial int Umount2(byte* target, UnmountFlags flags);

    /// <summary>umount2(2), never through a link at the end. Nothing mounted there throws EINVAL.</summary>
    internal static void Umount2(string target, UnmountFlags flags = UnmountFlags.None)
    {
        var errno = TryUmount2(target, flags);
        if (errno != Errno.None) throw new LinuxException("umount2", target, errno, flags: UnmountText(flags));
    }

    /// <summary>umount2(2): EINVAL is "not mounted", EBUSY "somebody uses it", ENOENT "no such path".</summary>
    internal static unsafe Errno TryUmount2(string target, UnmountFlags flags = UnmountFlags.None)
    {
        var buffer = stackalloc byte[NativePath.Size];
        var errno = NativePath.Terminate(target, buffer);
        if (errno != Errno.None) return errno;
        while (Umount2(buffer, flags | UnmountFlags.NoFollow) != 0)
        {
            if (!Interrupted) return LastErrno;
        }
        return Errno.None;
    }

    private static string? UnmountText(UnmountFlags flags) => flags.HasFlag(UnmountFlags.Detach) ? "MNT_DETACH" : null;
}
