using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace StorageActors.Linux;

internal static partial class Libc
{
    [LibraryImport(Library, EntryPoint = "inotify_rm_watch", SetLastError = true)]
    private static partial int INotifyRmWatch(SafeFileHandle watch, int number);

    /// <summary>inotify_rm_watch(2); EINVAL when the watched file is gone, and its watch with it.</summary>
    internal static Errno TryINotifyRmWatch(SafeFileHandle watch, int number) => INotifyRmWatch(watch, number) == 0 ? Errno.None : LastErrno;
}
