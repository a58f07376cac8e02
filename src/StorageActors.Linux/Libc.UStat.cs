using System.Runtime.InteropServices;

namespace StorageActors.Linux;

internal static partial class Libc
{
    private const int UStatNumber = 136;   // of x86-64; younger processors' kernels have no such call
    private const int UStatSize = 32;

    [LibraryImport(Library, EntryPoint = "syscall", SetLastError = true)]
    private static unsafe partial nint UStat(nint number, nuint device, byte* status);

    /// <summary>
    /// ustat(2): whether the kernel has no file system of this device number, neither mounted in any namespace nor unmounted lazily and still used. False also
    /// where it does not say: on other processors, and under a filter of system calls.
    /// </summary>
    internal static unsafe bool IsFileSystemGone(DeviceNumber device)
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64) return false;
        var status = stackalloc byte[UStatSize];
        while (UStat(UStatNumber, (uint)device.ToNative(), status) != 0)
        {
            if (!Interrupted) return LastErrno == Errno.EINVAL;
        }
        return false;
    }
}
