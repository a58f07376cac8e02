using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace StorageActors.Linux;

internal static partial class Libc
{
    [LibraryImport(Library, EntryPoint = "mknodat", SetLastError = true)]
    private static unsafe partial int MknodAt(SafeFileHandle directory, byte* path, uint mode, ulong device);

    /// <summary>mknodat(2): a device, fifo, socket or empty file. The permissions are subject to the process's umask.</summary>
    internal static void MknodAt(
        SafeFileHandle directory, ReadOnlySpan<byte> name, FileType type, uint permissions, DeviceNumber device = default) =>
        Check(TryMknodAt(directory, name, type, permissions, device), "mknodat", directory, name);

    /// <summary>mknodat(2); EEXIST, and EPERM inside a user namespace, are answers.</summary>
    internal static unsafe Errno TryMknodAt(
        SafeFileHandle directory, ReadOnlySpan<byte> name, FileType type, uint permissions, DeviceNumber device = default)
    {
        var buffer = stackalloc byte[NativePath.Size];
        var errno = NativePath.Terminate(name, buffer);
        if (errno != Errno.None) return errno;
        while (MknodAt(directory, buffer, ((uint)type << 12) | permissions, device.ToNative()) != 0)
        {
            if (!Interrupted) return LastErrno;
        }
        return Errno.None;
    }
}
