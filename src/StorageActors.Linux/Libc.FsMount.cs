using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace StorageActors.Linux;

internal static partial class Libc
{
    private const int FsMountNumber = 432;

    [LibraryImport(Library, EntryPoint = "syscall", SetLastError = true)]
    private static partial nint FsMount(nint number, SafeFileHandle context, uint flags, uint attributes);

    /// <summary>fsmount(2): the mount of a created context, attached nowhere. Closing it before it is moved undoes it.</summary>
    internal static SafeFileHandle FsMount(SafeFileHandle context, MountAttributes attributes = MountAttributes.None)
    {
        Errno errno;
        SafeFileHandle mount;
        do errno = Adopt(FsMount(FsMountNumber, context, 1, (uint)attributes), out mount); while (errno == Errno.EINTR);
        return errno == Errno.None ? mount : throw FsFailure("fsmount", context, "", errno);
    }
}
