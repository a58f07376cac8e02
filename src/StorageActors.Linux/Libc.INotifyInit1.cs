using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace StorageActors.Linux;

internal static partial class Libc
{
    [LibraryImport(Library, EntryPoint = "inotify_init1", SetLastError = true)]
    private static partial int INotifyInit1(int flags);

    /// <summary>inotify_init1(2), not blocking; EMFILE when the user has too many of them (<c>fs.inotify.max_user_instances</c>).</summary>
    internal static Errno TryINotifyInit1(out SafeFileHandle watch) => Adopt(INotifyInit1(OpenFlags.NonBlocking.ToNative()), out watch);

    /// <summary>What has happened since it was asked last, as records of <c>struct inotify_event</c>; EAGAIN when that is nothing.</summary>
    internal static unsafe Errno TryReadEvents(SafeFileHandle watch, Span<byte> buffer, out int length)
    {
        length = 0;
        fixed (byte* start = buffer)
        {
            nint count;
            do count = Read(watch, start, (nuint)buffer.Length); while (count < 0 && Interrupted);
            if (count < 0) return LastErrno;
            length = (int)count;
            return Errno.None;
        }
    }
}
