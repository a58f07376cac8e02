using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace StorageActors.Linux;

internal static partial class Libc
{
    [LibraryImport(Library, EntryPoint = "pipe2", SetLastError = true)]
    private static unsafe partial int Pipe2(int* descriptors, int flags);

    /// <summary>pipe2(2).</summary>
    internal static unsafe (SafeFileHandle Read, SafeFileHandle Write) Pipe2()
    {
        var descriptors = stackalloc int[2];
        if (Pipe2(descriptors, OpenFlags.ReadOnly.ToNative()) != 0) throw new LinuxException("pipe2", "", LastErrno);
        return (new SafeFileHandle(descriptors[0], ownsHandle: true), new SafeFileHandle(descriptors[1], ownsHandle: true));
    }
}
