using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace StorageActors.Linux;

internal static partial class Libc
{
    [LibraryImport(Library, EntryPoint = "read", SetLastError = true)]
    private static unsafe partial nint Read(SafeFileHandle file, byte* buffer, nuint count);

    [LibraryImport(Library, EntryPoint = "pread", SetLastError = true)]
    private static unsafe partial nint PRead(SafeFileHandle file, byte* buffer, nuint count, long offset);

    [LibraryImport(Library, EntryPoint = "write", SetLastError = true)]
    private static unsafe partial nint Write(SafeFileHandle file, byte* buffer, nuint count);

    [LibraryImport(Library, EntryPoint = "pwrite", SetLastError = true)]
    private static unsafe partial nint PWrite(SafeFileHandle file, byte* buffer, nuint count, long offset);

    /// <summary>read(2) at the descriptor's position; 0 is the end, fewer than asked for is normal.</summary>
    internal static unsafe int Read(SafeFileHandle file, Span<byte> buffer)
    {
        fixed (byte* start = buffer)
        {
            nint count;
            do count = Read(file, start, (nuint)buffer.Length); while (count < 0 && Interrupted);
            return count >= 0 ? (int)count : throw Failure("read", file, LastErrno);
        }
    }

    /// <summary>pread(2): does not move the descriptor's position.</summary>
    internal static unsafe int PRead(SafeFileHandle file, Span<byte> buffer, long offset)
    {
        fixed (byte* start = buffer)
        {
            nint count;
            do count = PRead(file, start, (nuint)buffer.Length, offset); while (count < 0 && Interrupted);
            return count >= 0 ? (int)count : throw Failure("pread", file, LastErrno);
        }
    }

    /// <summary>Reads until the buffer is full or the file ends, and returns how much that was.</summary>
    internal static int ReadFully(SafeFileHandle file, Span<byte> buffer)
    {
        var total = 0;
        while (total < buffer.Length)
        {
            var count = Read(file, buffer[total..]);
            if (count == 0) break;
            total += count;
        }
        return total;
    }

    /// <summary>write(2) at the descriptor's position; may write less than it was given.</summary>
    internal static unsafe int Write(SafeFileHandle file, ReadOnlySpan<byte> content)
    {
        fixed (byte* start = content)
        {
            nint count;
            do count = Write(file, start, (nuint)content.Length); while (count < 0 && Interrupted);
            return count >= 0 ? (int)count : throw Failure("write", file, LastErrno);
        }
    }

    /// <summary>Writes all of it at the descriptor's position.</summary>
    internal static void WriteAll(SafeFileHandle file, ReadOnlySpan<byte> content)
    {
        while (!content.IsEmpty) content = content[Write(file, content)..];
    }

    /// <summary>pwrite(2): does not move the descriptor's position; may write less than it was given.</summary>
    internal static unsafe int PWrite(SafeFileHandle file, ReadOnlySpan<byte> content, long offset)
    {
        fixed (byte* start = content)
        {
            nint count;
            do count = PWrite(file, start, (nuint)content.Length, offset); while (count < 0 && Interrupted);
            return count >= 0 ? (int)count : throw Failure("pwrite", file, LastErrno);
        }
    }

    /// <summary>Writes all of it at an offset, without moving the descriptor's position.</summary>
    internal static void PWriteAll(SafeFileHandle file, ReadOnlySpan<byte> content, long offset)
    {
        while (!content.IsEmpty)
        {
            var count = PWrite(file, content, offset);
            offset += count;
            content = content[count..];
        }
    }
}
