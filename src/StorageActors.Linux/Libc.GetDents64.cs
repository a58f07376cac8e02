using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace StorageActors.Linux;

internal static partial class Libc
{
    private static readonly nint GetDents64Number = IsArm64 ? 61 : 217;

    [LibraryImport(Library, EntryPoint = "syscall", SetLastError = true)]
    private static unsafe partial nint GetDents64(nint number, SafeFileHandle directory, byte* buffer, nuint size);

    /// <summary>getdents64(2): fills the buffer with records; 0 is the end. <see cref="DirectoryReader"/> reads them.</summary>
    internal static unsafe Errno TryGetDents64(SafeFileHandle directory, Span<byte> buffer, out int length)
    {
        fixed (byte* start = buffer)
        {
            nint size;
            do size = GetDents64(GetDents64Number, directory, start, (nuint)buffer.Length); while (size < 0 && Interrupted);
            length = size < 0 ? 0 : (int)size;
            return size < 0 ? LastErrno : Errno.None;
        }
    }
}
