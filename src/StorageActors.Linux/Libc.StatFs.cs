using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace StorageActors.Linux;

internal static partial class Libc
{
    [LibraryImport(Library, EntryPoint = "statfs", SetLastError = true)]
    private static unsafe partial int StatFs(byte* path, out FileSystemStatus status);

    [LibraryImport(Library, EntryPoint = "fstatfs", SetLastError = true)]
    private static partial int FStatFs(SafeFileHandle file, out FileSystemStatus status);

    /// <summary>statfs(2) of a path of the host.</summary>
    internal static unsafe FileSystemStatus StatFs(string path)
    {
        var buffer = stackalloc byte[NativePath.Size];
        Check(NativePath.Terminate(path, buffer), "statfs", path);
        FileSystemStatus status;
        while (StatFs(buffer, out status) != 0)
        {
            if (!Interrupted) throw new LinuxException("statfs", path, LastErrno);
        }
        return status;
    }

    /// <summary>fstatfs(2): the file system that a descriptor, O_PATH or not, lies on.</summary>
    internal static FileSystemStatus FStatFs(SafeFileHandle file)
    {
        FileSystemStatus status;
        while (FStatFs(file, out status) != 0)
        {
            if (!Interrupted) throw Failure("fstatfs", file, LastErrno);
        }
        return status;
    }
}
