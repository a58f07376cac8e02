using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace StorageActors.Linux;

internal static partial class Libc
{
    [LibraryImport(Library, EntryPoint = "inotify_add_watch", SetLastError = true)]
    private static unsafe partial int INotifyAddWatch(SafeFileHandle watch, byte* path, NameEvents events);

    /// <summary>inotify_add_watch(2) of a name below a directory; the same number again for a file that is watched already. ENOSPC when the user watches too many.</summary>
    internal static unsafe Errno TryINotifyAddWatch(SafeFileHandle watch, SafeFileHandle directory, ReadOnlySpan<byte> name, NameEvents events, out int number)
    {
        number = 0;
        using var pin = new HandlePin(directory);
        var path = stackalloc byte[NativePath.Size];
        var errno = NativePath.OfDescriptor(pin.Descriptor, name, path);
        if (errno != Errno.None) return errno;
        int result;
        do result = INotifyAddWatch(watch, path, events); while (result < 0 && Interrupted);
        if (result < 0) return LastErrno;
        number = result;
        return Errno.None;
    }
}
