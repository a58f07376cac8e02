using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace StorageActors.Linux;

internal static partial class Libc
{
    private const int FsConfigNumber = 431;

    [LibraryImport(Library, EntryPoint = "syscall", SetLastError = true)]
    private static unsafe partial nint FsConfig(nint number, SafeFileHandle context, FsCommand command, byte* key, byte* value, nint aux);

    /// <summary>fsconfig(2), a flag such as "volatile". Like all of these it throws with the kernel's own words.</summary>
    internal static void FsConfigFlag(SafeFileHandle context, string key) =>
        FsConfigure(context, FsCommand.SetFlag, key, [], null);

    /// <summary>fsconfig(2), a key and its text. The kernel takes 255 bytes and says EINVAL to more.</summary>
    internal static void FsConfigString(SafeFileHandle context, string key, ReadOnlySpan<byte> value) =>
        FsConfigure(context, FsCommand.SetString, key, value, null);

    /// <summary>fsconfig(2), a key and its text.</summary>
    internal static void FsConfigString(SafeFileHandle context, string key, string value) =>
        FsConfigure(context, FsCommand.SetString, key, Encoding.UTF8.GetBytes(value), null);

    /// <summary>fsconfig(2), a key and a descriptor, O_PATH or not (overlay layers: 6.13).</summary>
    internal static void FsConfigFd(SafeFileHandle context, string key, SafeFileHandle file) =>
        FsConfigure(context, FsCommand.SetDescriptor, key, [], file);

    /// <summary>FSCONFIG_CMD_CREATE: makes the superblock out of what was configured.</summary>
    internal static void FsConfigCreate(SafeFileHandle context) => FsConfigure(context, FsCommand.Create, null, [], null);

    private static unsafe void FsConfigure(
        SafeFileHandle context, FsCommand command, string? key, ReadOnlySpan<byte> value, SafeFileHandle? file)
    {
        var keyBuffer = stackalloc byte[NativePath.Size];
        var valueBuffer = stackalloc byte[NativePath.Size];
        var errno = NativePath.Terminate(key ?? "", keyBuffer);
        if (errno == Errno.None) errno = NativePath.Terminate(value, valueBuffer);
        if (errno == Errno.None)
        {
            using var pin = new HandlePin(file ?? context);
            do
            {
                var result = FsConfig(
                    FsConfigNumber, context, command, key is null ? null : keyBuffer,
                    command == FsCommand.SetString ? valueBuffer : null, file is null ? 0 : pin.Descriptor);
                errno = result == 0 ? Errno.None : LastErrno;
            }
            while (errno == Errno.EINTR);
        }
        if (errno == Errno.None) return;
        var what = command switch
        {
            FsCommand.Create => "create",
            FsCommand.SetFlag => key!,
            FsCommand.SetDescriptor => $"{key}={PathOf(file!)}",
            _ => $"{key}={PathText.Escape(value)}",
        };
        throw FsFailure("fsconfig", context, what, errno);
    }

    private enum FsCommand
    {
        SetFlag = 0,
        SetString = 1,
        SetDescriptor = 5,
        Create = 6,
    }
}
