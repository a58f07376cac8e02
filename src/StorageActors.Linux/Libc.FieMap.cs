using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace StorageActors.Linux;

internal static partial class Libc
{
    private const nuint FileExtentsRequest = 0xC020660B;
    private const uint FirstSync = 1;

    /// <summary>struct fiemap without its extents.</summary>
    private const int FileExtentsHeader = 32;

    [LibraryImport(Library, EntryPoint = "ioctl", SetLastError = true)]
    private static unsafe partial int IoCtl(SafeFileHandle file, nuint request, byte* argument);

    /// <summary>
    /// FS_IOC_FIEMAP: adds to a list where a file's data lies. EOPNOTSUPP and ENOTTY where the file system does not tell; holes are not listed.
    /// </summary>
    /// <param name="file">A regular file.</param>
    /// <param name="sync">Whether what is only in memory is written first; without, it has no place yet.</param>
    /// <param name="extents">Gets the extents, in the order of the file.</param>
    internal static unsafe Errno TryReadExtents(SafeFileHandle file, bool sync, List<FileExtent> extents)
    {
        const int room = 72;
        var buffer = stackalloc byte[FileExtentsHeader + (room * 56)];
        var found = (FileExtent*)(buffer + FileExtentsHeader);
        for (ulong start = 0; ;)
        {
            // struct fiemap: u64 start, u64 length, u32 flags, u32 mapped, u32 room, u32 reserved.
            Unsafe.InitBlock(buffer, 0, FileExtentsHeader);
            ((ulong*)buffer)[0] = start;
            ((ulong*)buffer)[1] = ulong.MaxValue - start;
            ((uint*)buffer)[4] = sync ? FirstSync : 0;
            ((uint*)buffer)[6] = room;
            while (IoCtl(file, FileExtentsRequest, buffer) != 0)
            {
                if (!Interrupted) return LastErrno;
            }

            var count = (int)((uint*)buffer)[5];
            for (var i = 0; i < count; i++) extents.Add(found[i]);
            if (count == 0 || (found[count - 1].Flags & ExtentFlags.Last) != 0) return Errno.None;
            start = found[count - 1].Logical + found[count - 1].Length;
        }
    }
}
