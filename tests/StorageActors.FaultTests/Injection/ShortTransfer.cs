using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using StorageActors.FaultTests.Seccomp;
using StorageActors.Linux;

namespace StorageActors.FaultTests.Injection;

/// <summary>Makes a call for the thread that waits in it, with half of the bytes that it asked for, on the same open file.</summary>
internal sealed unsafe partial class ShortTransfer(int process, SafeFileHandle processHandle)
{
    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static partial nint Read(SafeFileHandle file, byte* buffer, nuint size);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint Write(SafeFileHandle file, byte* buffer, nuint size);

    [LibraryImport("libc", EntryPoint = "pread64", SetLastError = true)]
    private static partial nint Read(SafeFileHandle file, byte* buffer, nuint size, long offset);

    [LibraryImport("libc", EntryPoint = "pwrite64", SetLastError = true)]
    private static partial nint Write(SafeFileHandle file, byte* buffer, nuint size, long offset);

    /// <summary>Null when it cannot be made shorter.</summary>
    internal Response? Make(SystemCall call, in Notification notification)
    {
        if (call.Name == "copy_file_range") return Copy(notification);
        var half = (int)notification.Arguments[2] / 2;
        using var file = Native.TryTakeDescriptor(processHandle, (int)notification.Arguments[0]);
        if (half == 0 || file is null) return null;
        var buffer = new byte[half];
        if (call.Name is "write" or "pwrite64" && !Native.TryRead(process, notification.Arguments[1], buffer)) return null;
        nint moved;
        fixed (byte* start = buffer)
        {
            var offset = (long)notification.Arguments[3];
            moved = call.Name switch
            {
                "read" => Read(file, start, (nuint)half),
                "write" => Write(file, start, (nuint)half),
                "pread64" => Read(file, start, (nuint)half, offset),
                _ => Write(file, start, (nuint)half, offset),
            };
        }
        if (moved < 0) return Response.Fail(notification.Id, (Errno)Marshal.GetLastPInvokeError());
        if (call.Name is "read" or "pread64" && !Native.TryWrite(process, notification.Arguments[1], buffer.AsSpan(0, (int)moved))) return null;
        return Response.Return(notification.Id, moved);
    }

    private Response? Copy(in Notification notification)
    {
        var half = (long)notification.Arguments[4] / 2;
        using var source = Native.TryTakeDescriptor(processHandle, (int)notification.Arguments[0]);
        using var target = Native.TryTakeDescriptor(processHandle, (int)notification.Arguments[2]);
        Span<byte> from = stackalloc byte[8];
        Span<byte> to = stackalloc byte[8];
        if (half == 0 || source is null || target is null || !Native.TryRead(process, notification.Arguments[1], from)
            || !Native.TryRead(process, notification.Arguments[3], to)) return null;
        var (sourceOffset, targetOffset) = (BitConverter.ToInt64(from), BitConverter.ToInt64(to));
        var errno = Libc.TryCopyFileRange(source, sourceOffset, target, targetOffset, half, out var copied);
        if (errno != Errno.None) return Response.Fail(notification.Id, errno);
        BitConverter.TryWriteBytes(from, sourceOffset + copied);
        BitConverter.TryWriteBytes(to, targetOffset + copied);
        return Native.TryWrite(process, notification.Arguments[1], from) && Native.TryWrite(process, notification.Arguments[3], to)
            ? Response.Return(notification.Id, copied)
            : null;
    }
}
