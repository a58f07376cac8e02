using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace StorageActors.Linux;

internal static partial class Libc
{
    private const int FsOpenNumber = 430;

    [LibraryImport(Library, EntryPoint = "syscall", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint FsOpen(nint number, string type, uint flags);

    /// <summary>fsopen(2) (5.2): a context to configure a mount of this file system type in.</summary>
    internal static SafeFileHandle FsOpen(string type)
    {
        var errno = TryFsOpen(type, out var context);
        return errno == Errno.None ? context : throw new LinuxException("fsopen", type, errno);
    }

    /// <summary>fsopen(2); ENOSYS or EPERM where the new mount API is missing, ENODEV where the type is unknown.</summary>
    internal static Errno TryFsOpen(string type, out SafeFileHandle context)
    {
        Errno errno;
        do errno = Adopt(FsOpen(FsOpenNumber, type, 1), out context); while (errno == Errno.EINTR);
        return errno;
    }

    /// <summary>What the kernel had to say about a context since it was asked last: its error, warning and info lines.</summary>
    internal static unsafe string ReadFsLog(SafeFileHandle context)
    {
        var lines = new List<string>();
        var buffer = stackalloc byte[NativePath.Size];
        while (lines.Count < 64)
        {
            var length = Read(context, buffer, NativePath.Size);
            if (length < 0 && Interrupted) continue;
            if (length <= 0) break;   // ENODATA: all read
            lines.Add(PathText.Escape(new ReadOnlySpan<byte>(buffer, (int)length).TrimEnd((byte)'\n')));
        }
        return string.Join("; ", lines);
    }

    private static LinuxException FsFailure(string operation, SafeFileHandle context, string what, Errno errno) =>
        new(operation, what, errno, detail: ReadFsLog(context));
}
