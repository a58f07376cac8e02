using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace StorageActors.Linux;

internal static partial class Libc
{
    private const nuint CloneFileRequest = 0x40049409;
    private const nuint GetFlagsRequest = 0x80086601;
    private const nuint SetFlagsRequest = 0x40086602;

    [LibraryImport(Library, EntryPoint = "ioctl", SetLastError = true)]
    private static partial int IoCtl(SafeFileHandle file, nuint request, SafeFileHandle argument);

    [LibraryImport(Library, EntryPoint = "ioctl", SetLastError = true)]
    private static unsafe partial int IoCtl(SafeFileHandle file, nuint request, uint* argument);

    /// <summary>FICLONE: makes the target share the source's blocks. EOPNOTSUPP, EXDEV, EINVAL and ENOTTY mean: copy.</summary>
    internal static Errno TryClone(SafeFileHandle target, SafeFileHandle source)
    {
        while (IoCtl(target, CloneFileRequest, source) != 0)
        {
            if (!Interrupted) return LastErrno;
        }
        return Errno.None;
    }

    /// <summary>FS_IOC_GETFLAGS; ENOTTY and EOPNOTSUPP where the file system has no flags.</summary>
    internal static unsafe Errno TryGetInodeFlags(SafeFileHandle file, out InodeFlags flags)
    {
        // The request's number says long, but the kernel reads and writes an int; two words keep a long-writer harmless.
        var value = stackalloc uint[2];
        value[0] = value[1] = 0;
        flags = InodeFlags.None;
        while (IoCtl(file, GetFlagsRequest, value) != 0)
        {
            if (!Interrupted) return LastErrno;
        }
        flags = (InodeFlags)value[0];
        return Errno.None;
    }

    /// <summary>FS_IOC_SETFLAGS.</summary>
    internal static unsafe Errno TrySetInodeFlags(SafeFileHandle file, InodeFlags flags)
    {
        var value = stackalloc uint[2];
        (value[0], value[1]) = ((uint)flags, 0);
        while (IoCtl(file, SetFlagsRequest, value) != 0)
        {
            if (!Interrupted) return LastErrno;
        }
        return Errno.None;
    }
}
