using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace StorageActors.Linux;

internal static partial class Libc
{
    private const int OpenAt2Number = 437;

    [LibraryImport(Library, EntryPoint = "syscall", SetLastError = true)]
    private static unsafe partial nint OpenAt2(nint number, SafeFileHandle directory, byte* path, OpenHow* how, nuint size);

    /// <summary>openat2(2) (5.6): opens without leaving what <paramref name="resolve"/> allows.</summary>
    internal static SafeFileHandle OpenAt2(
        SafeFileHandle directory, ReadOnlySpan<byte> name, OpenFlags flags, ResolveFlags resolve, uint mode = 0)
    {
        var errno = TryOpenAt2(directory, name, flags, resolve, mode, out var file);
        return errno == Errno.None ? file : throw Failure("openat2", directory, name, errno, flags.ToText(), resolve.ToString());
    }

    /// <summary>openat2(2); ENOENT, ELOOP and EXDEV (the path leaves what is allowed) are answers.</summary>
    /// <remarks>
    /// EAGAIN (a rename ran meanwhile) is retried, as the manual page asks, but not for ever. Where the kernel or a seccomp filter
    /// does not know the call, InRoot and Beneath are done by hand, and anything else is ENOSYS.
    /// </remarks>
    internal static unsafe Errno TryOpenAt2(
        SafeFileHandle directory, ReadOnlySpan<byte> name, OpenFlags flags, ResolveFlags resolve, uint mode, out SafeFileHandle file)
    {
        file = NoFile;
        if (!KernelFeatures.OpenAt2) return OpenWithoutOpenAt2(directory, name, flags, resolve, mode, out file);
        var buffer = stackalloc byte[NativePath.Size];
        var errno = NativePath.Terminate(name, buffer);
        if (errno != Errno.None) return errno;

        // openat2 refuses mode bits without O_CREAT or O_TMPFILE, which openat only ignores.
        var creates = flags.HasFlag(OpenFlags.Create) || flags.HasFlag(OpenFlags.TemporaryFile);
        var how = new OpenHow { Flags = (uint)flags.ToNative(), Mode = creates ? mode : 0, Resolve = resolve };
        for (var attempt = 0; ; attempt++)
        {
            errno = Adopt(OpenAt2(OpenAt2Number, directory, buffer, &how, (nuint)sizeof(OpenHow)), out file);
            if (errno == Errno.ENOSYS || (errno == Errno.EPERM && !KnowsOpenAt2()))
            {
                KernelFeatures.OpenAt2 = false;
                return OpenWithoutOpenAt2(directory, name, flags, resolve, mode, out file);
            }
            if (errno != Errno.EINTR && (errno != Errno.EAGAIN || attempt >= 128)) return errno;
        }
    }

    private static Errno OpenWithoutOpenAt2(
        SafeFileHandle directory, ReadOnlySpan<byte> name, OpenFlags flags, ResolveFlags resolve, uint mode, out SafeFileHandle file)
    {
        file = NoFile;
        return (resolve & (ResolveFlags.InRoot | ResolveFlags.Beneath)) == ResolveFlags.None ? Errno.ENOSYS
            : RootedWalk.TryOpen(directory, name, flags, resolve, mode, out file);
    }

    /// <summary>A filter says EPERM to every call, the kernel says EINVAL to one without arguments.</summary>
    private static unsafe bool KnowsOpenAt2()
    {
        byte empty = 0;
        return OpenAt2(OpenAt2Number, CurrentDirectory, &empty, null, 0) < 0 && LastErrno == Errno.EINVAL;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct OpenHow
    {
        internal ulong Flags;
        internal ulong Mode;
        internal ResolveFlags Resolve;
    }
}
