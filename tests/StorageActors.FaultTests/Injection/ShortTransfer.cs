using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using StorageActors.FaultTests.Seccomp;
using StorageActors.Linux;

namespace StorageActors.FaultTests.Injection;

/// <summary>Makes a call for the thread that waits in it, with half of the bytes that it would move, on the same open file.</summary>
internal sealed unsafe partial class ShortTransfer(int process, SafeFileHandle processHandle)
{
    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint Write(SafeFileHandle file, byte* buffer, nuint size);

    [LibraryImport("libc", EntryPoint = "pread64", SetLastError = true)]
    private static partial nint Read(SafeFileHandle file, byte* buffer, nuint size, long offset);

    [LibraryImport("libc", EntryPoint = "pwrite64", SetLastError = true)]
    private static partial nint Write(SafeFileHandle file, byte* buffer, nuint size, long offset);

    [LibraryImport("libc", EntryPoint = "lseek64", SetLastError = true)]
    private static partial long Seek(SafeFileHandle file, long offset, int from);

    /// <summary>Null when it cannot be made shorter.</summary>
    internal Response? Make(SystemCall call, in Notification notification)
    {
        if (call.Name == "copy_file_range") return Copy(notification);
        using var file = Native.TryTakeDescriptor(processHandle, (int)notification.Arguments[0]);
        if (file is null) return null;
        return call.Name is "read" or "pread64" ? Read(file, call.Name == "pread64", notification) : Write(file, call.Name == "pwrite64", notification);
    }

    /// <summary>Half of what is there: a file may have fewer bytes than were asked for, and half of the buffer would be no short read.</summary>
    private Response? Read(SafeFileHandle file, bool atOffset, in Notification notification)
    {
        const int fromCurrent = 1;
        var start = atOffset ? (long)notification.Arguments[3] : Seek(file, 0, fromCurrent);
        if (start < 0) return null;
        var buffer = new byte[(int)notification.Arguments[2]];
        nint there;
        fixed (byte* bytes = buffer) there = Read(file, bytes, (nuint)buffer.Length, start);
        if (there < 2 || !Native.TryWrite(process, notification.Arguments[1], buffer.AsSpan(0, (int)there / 2))) return null;
        if (!atOffset) Seek(file, there / 2, fromCurrent);
        return Response.Return(notification.Id, there / 2);
    }

    private Response? Write(SafeFileHandle file, bool atOffset, in Notification notification)
    {
        var buffer = new byte[(int)notification.Arguments[2] / 2];
        if (buffer.Length == 0 || !Native.TryRead(process, notification.Arguments[1], buffer)) return null;
        nint moved;
        fixed (byte* bytes = buffer)
            moved = atOffset ? Write(file, bytes, (nuint)buffer.Length, (long)notification.Arguments[3]) : Write(file, bytes, (nuint)buffer.Length);
        return moved < 0 ? Response.Fail(notification.Id, (Errno)Marshal.GetLastPInvokeError()) : Response.Return(notification.Id, moved);
    }

    private Response? Copy(in Notification notification)
    {
        using var source = Native.TryTakeDescriptor(processHandle, (int)notification.Arguments[0]);
        using var target = Native.TryTakeDescriptor(processHandle, (int)notification.Arguments[2]);
        Span<byte> from = stackalloc byte[8];
        Span<byte> to = stackalloc byte[8];
        if (source is null || target is null || !Native.TryRead(process, notification.Arguments[1], from)
            || !Native.TryRead(process, notification.Arguments[3], to)) return null;
        var (sourceOffset, targetOffset) = (BitConverter.ToInt64(from), BitConverter.ToInt64(to));
        var half = Math.Min((long)notification.Arguments[4], Libc.FStat(source).Size - sourceOffset) / 2;
        if (half <= 0) return null;
        var errno = Libc.TryCopyFileRange(source, sourceOffset, target, targetOffset, half, out var copied);
        if (errno != Errno.None) return Response.Fail(notification.Id, errno);
        BitConverter.TryWriteBytes(from, sourceOffset + copied);
        BitConverter.TryWriteBytes(to, targetOffset + copied);
        return Native.TryWrite(process, notification.Arguments[1], from) && Native.TryWrite(process, notification.Arguments[3], to)
            ? Response.Return(notification.Id, copied)
            : null;
    }
}
