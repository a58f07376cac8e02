using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace StorageActors.Linux;

internal static partial class Libc
{
    [LibraryImport(Library, EntryPoint = "unlinkat", SetLastError = true)]
    private static unsafe partial int UnlinkAt(SafeFileHandle directory, byte* path, AtFlags flags);

    /// <summary>unlinkat(2); with <see cref="AtFlags.RemoveDirectory"/> it removes an empty directory.</summary>
    internal static void UnlinkAt(SafeFileHandle directory, ReadOnlySpan<byte> name, AtFlags flags = AtFlags.None)
    {
        var operation = flags.HasFlag(AtFlags.RemoveDirectory) ? "unlinkat(AT_REMOVEDIR)" : "unlinkat";
        Check(TryUnlinkAt(directory, name, flags), operation, directory, name);
    }

    /// <summary>unlinkat(2); ENOENT, EISDIR and ENOTEMPTY are answers.</summary>
    internal static unsafe Errno TryUnlinkAt(SafeFileHandle directory, ReadOnlySpan<byte> name, AtFlags flags = AtFlags.None)
    {
        var buffer = stackalloc byte[NativePath.Size];
        var errno = NativePath.Terminate(name, buffer);
        if (errno != Errno.None) return errno;
        while (UnlinkAt(directory, buffer, flags) != 0)
        {
            if (!Interrupted) return LastErrno;
        }
        return Errno.None;
    }
}
