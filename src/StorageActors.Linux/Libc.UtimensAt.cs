using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace StorageActors.Linux;

internal static partial class Libc
{
    [LibraryImport(Library, EntryPoint = "utimensat", SetLastError = true)]
    private static unsafe partial int UtimensAt(SafeFileHandle directory, byte* path, TimeSpec* times, AtFlags flags);

    [LibraryImport(Library, EntryPoint = "futimens", SetLastError = true)]
    private static unsafe partial int FUtimens(SafeFileHandle file, TimeSpec* times);

    /// <summary>Sets the times of an open descriptor, O_PATH ones included; <see cref="TimeSpec.Omit"/> leaves one as it is.</summary>
    internal static unsafe void FUtimens(SafeFileHandle file, TimeSpec access, TimeSpec modify)
    {
        var times = stackalloc TimeSpec[] { access, modify };
        int result;
        do result = FUtimens(file, times); while (result != 0 && Interrupted);
        var errno = result == 0 ? Errno.None : LastErrno;
        if (errno == Errno.EBADF && !file.IsClosed)   // O_PATH
        {
            using var pin = new HandlePin(file);
            var path = stackalloc byte[NativePath.Size];
            NativePath.OfDescriptor(pin.Descriptor, [], path);
            errno = UtimensTerminated(CurrentDirectory, path, times, AtFlags.None);
        }
        Check(errno, "futimens", file);
    }

    /// <summary>utimensat(2), not following a link; <see cref="TimeSpec.Omit"/> leaves a time as it is.</summary>
    internal static unsafe void UtimensAt(SafeFileHandle directory, ReadOnlySpan<byte> name, TimeSpec access, TimeSpec modify)
    {
        var times = stackalloc TimeSpec[] { access, modify };
        var buffer = stackalloc byte[NativePath.Size];
        var errno = NativePath.Terminate(name, buffer);
        if (errno == Errno.None) errno = UtimensTerminated(directory, buffer, times, AtFlags.SymlinkNoFollow);
        Check(errno, "utimensat", directory, name);
    }

    private static unsafe Errno UtimensTerminated(SafeFileHandle directory, byte* path, TimeSpec* times, AtFlags flags)
    {
        while (UtimensAt(directory, path, times, flags) != 0)
        {
            if (!Interrupted) return LastErrno;
        }
        return Errno.None;
    }
}
