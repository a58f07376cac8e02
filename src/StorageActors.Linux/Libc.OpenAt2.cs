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

    /// <summary>openat2(2); ENOSYS or EPERM where the kernel or a seccomp filter does not know it.</summary>
    /// <remarks>EAGAIN (a rename ran meanwhile) is retried, as the manual page asks, but not for ever.</remarks>
    internal static unsafe Errno TryOpenAt2(
        SafeFileHandle directory, ReadOnlySpan<byte> name, OpenFlags flags, ResolveFlags resolve, uint mode, out SafeFileHandle file)
    {
        file = NoFile;
        var buffer = stackalloc byte[NativePath.Size];
        var errno = NativePath.Terminate(name, buffer);
        if (errno != Errno.None) return errno;

        // openat2 refuses mode bits without O_CREAT or O_TMPFILE, which openat only ignores.
        var creates = flags.HasFlag(OpenFlags.Create) || flags.HasFlag(OpenFlags.TemporaryFile);
        var how = new OpenHow { Flags = (uint)flags.ToNative(), Mode = creates ? mode : 0, Resolve = resolve };
        for (var attempt = 0; ; attempt++)
        {
            errno = Adopt(OpenAt2(OpenAt2Number, directory, buffer, &how, (nuint)sizeof(OpenHow)), out file);
            if (errno != Errno.EINTR && (errno != Errno.EAGAIN || attempt >= 128)) return errno;
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct OpenHow
    {
        internal ulong Flags;
        internal ulong Mode;
        internal ResolveFlags Resolve;
    }
}
