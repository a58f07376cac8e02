using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace StorageActors.Linux;

internal static partial class Libc
{
    [LibraryImport(Library, EntryPoint = "fsync", SetLastError = true)]
    private static partial int FSyncNative(SafeFileHandle file);

    [LibraryImport(Library, EntryPoint = "fdatasync", SetLastError = true)]
    private static partial int FDataSyncNative(SafeFileHandle file);

    [LibraryImport(Library, EntryPoint = "syncfs", SetLastError = true)]
    private static partial int SyncFsNative(SafeFileHandle file);

    [LibraryImport(Library, EntryPoint = "sync_file_range", SetLastError = true)]
    private static partial int SyncFileRangeNative(SafeFileHandle file, long offset, long length, SyncRangeFlags flags);

    /// <summary>fsync(2); of a directory it makes the names in it durable.</summary>
    internal static void FSync(SafeFileHandle file)
    {
        while (FSyncNative(file) != 0)
        {
            if (!Interrupted) throw Failure("fsync", file, LastErrno);
        }
    }

    /// <summary>fdatasync(2).</summary>
    internal static void FDataSync(SafeFileHandle file)
    {
        while (FDataSyncNative(file) != 0)
        {
            if (!Interrupted) throw Failure("fdatasync", file, LastErrno);
        }
    }

    /// <summary>syncfs(2): waits for everybody's dirty data on the file system, so it may take seconds.</summary>
    /// <remarks>Write errors are reported only to a descriptor that was open before they happened (5.8): open it first.</remarks>
    internal static void SyncFs(SafeFileHandle file)
    {
        while (SyncFsNative(file) != 0)
        {
            if (!Interrupted) throw Failure("syncfs", file, LastErrno);
        }
    }

    /// <summary>sync_file_range(2): starts or awaits write-back, without any promise of durability; ESPIPE and EINVAL do not matter.</summary>
    internal static Errno TrySyncFileRange(SafeFileHandle file, long offset, long length, SyncRangeFlags flags)
    {
        while (SyncFileRangeNative(file, offset, length, flags) != 0)
        {
            if (!Interrupted) return LastErrno;
        }
        return Errno.None;
    }
}
