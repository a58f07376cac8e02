using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

[module: SkipLocalsInit]   // path buffers of 4 KiB would be zeroed on every call

namespace StorageActors.Linux;

/// <summary>
/// System calls, one file for each. Names are bytes without their NUL and relative to a directory descriptor; every
/// descriptor is close-on-exec. EINTR is retried (close never is). A method throws <see cref="LinuxException"/> with the
/// operation, the path and the errno; its <c>Try</c> form returns the errno, <see cref="Errno.None"/> for success.
/// </summary>
internal static partial class Libc
{
    private const string Library = "libc";

    /// <summary>AT_FDCWD: names are relative to the working directory, so give absolute ones with it.</summary>
    internal static readonly SafeFileHandle CurrentDirectory = new(-100, ownsHandle: false);

    /// <summary>What a failed <c>TryOpen…</c> hands out; disposing it is harmless.</summary>
    internal static readonly SafeFileHandle NoFile = new(-1, ownsHandle: false);

    private static Errno LastErrno => (Errno)Marshal.GetLastPInvokeError();

    private static bool Interrupted => Marshal.GetLastPInvokeError() == (int)Errno.EINTR;

    private static bool IsArm64 { get; } = RuntimeInformation.ProcessArchitecture == Architecture.Arm64;

    /// <summary>The error of a call on a name below a directory, with the whole path as the kernel knows it.</summary>
    internal static LinuxException Failure(
        string operation, SafeFileHandle directory, ReadOnlySpan<byte> name, Errno errno, string? flags = null, string? detail = null) =>
        new(operation, PathText.Join(PathOf(directory), name), errno, flags: flags, detail: detail);

    /// <summary>The error of a call on an open descriptor.</summary>
    internal static LinuxException Failure(string operation, SafeFileHandle file, Errno errno, string? flags = null, string? detail = null) =>
        new(operation, PathOf(file), errno, flags: flags, detail: detail);

    /// <summary>Where a descriptor's file lies now, for people to read; empty for the working directory.</summary>
    internal static unsafe string PathOf(SafeFileHandle file)
    {
        if (file.IsInvalid || file.IsClosed) return ReferenceEquals(file, CurrentDirectory) ? "" : "(closed)";
        using var pin = new HandlePin(file);
        var link = stackalloc byte[NativePath.Size];
        NativePath.OfDescriptor(pin.Descriptor, [], link);
        var target = stackalloc byte[NativePath.Size];
        var length = ReadlinkAt(CurrentDirectory, link, target, NativePath.Size);
        return length < 0 ? $"(descriptor {pin.Descriptor})" : PathText.Escape(new ReadOnlySpan<byte>(target, (int)length));
    }

    private static void Check(Errno errno, string operation, SafeFileHandle directory, ReadOnlySpan<byte> name)
    {
        if (errno != Errno.None) throw Failure(operation, directory, name, errno);
    }

    private static void Check(Errno errno, string operation, SafeFileHandle file)
    {
        if (errno != Errno.None) throw Failure(operation, file, errno);
    }

    private static void Check(Errno errno, string operation, string path)
    {
        if (errno != Errno.None) throw new LinuxException(operation, path, errno);
    }
}
