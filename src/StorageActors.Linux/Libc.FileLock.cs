using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace StorageActors.Linux;

internal static partial class Libc
{
    private const int OfdGetLock = 36;
    private const int OfdSetLock = 37;
    private const int OfdSetLockWait = 38;

    [LibraryImport(Library, EntryPoint = "fcntl", SetLastError = true)]
    private static partial int Fcntl(SafeFileHandle file, int command, ref RecordLock argument);

    /// <summary>
    /// Takes an open-file-description lock on the whole file; false when another description or process holds it.
    /// It lives until the last descriptor of this open file is closed. It conflicts with POSIX record locks, too.
    /// </summary>
    internal static bool TryLockWhole(SafeFileHandle file, bool exclusive)
    {
        var errno = SetLock(file, OfdSetLock, exclusive ? LockType.Write : LockType.Read);
        return errno switch
        {
            Errno.None => true,
            Errno.EAGAIN or Errno.EACCES => false,
            _ => throw Failure("fcntl", file, errno, "F_OFD_SETLK"),
        };
    }

    /// <summary>Waits for the lock; blocks its thread for as long as somebody else holds it.</summary>
    internal static void LockWhole(SafeFileHandle file, bool exclusive)
    {
        var errno = SetLock(file, OfdSetLockWait, exclusive ? LockType.Write : LockType.Read);
        if (errno != Errno.None) throw Failure("fcntl", file, errno, "F_OFD_SETLKW");
    }

    /// <summary>Gives the lock back; without one nothing happens.</summary>
    internal static void UnlockWhole(SafeFileHandle file)
    {
        var errno = SetLock(file, OfdSetLock, LockType.Unlock);
        if (errno != Errno.None) throw Failure("fcntl", file, errno, "F_OFD_SETLK F_UNLCK");
    }

    /// <summary>Who would refuse an exclusive lock now; null when nobody would. Asking takes no lock.</summary>
    internal static LockHolder? FindLockHolder(SafeFileHandle file)
    {
        var request = new RecordLock { Type = LockType.Write };
        while (Fcntl(file, OfdGetLock, ref request) != 0)
        {
            if (!Interrupted) throw Failure("fcntl", file, LastErrno, "F_OFD_GETLK");
        }
        return request.Type == LockType.Unlock ? null
            : new LockHolder(request.Type == LockType.Write, request.Pid > 0 ? request.Pid : null);
    }

    private static Errno SetLock(SafeFileHandle file, int command, LockType type)
    {
        var request = new RecordLock { Type = type };   // whence, start and length 0: the whole file; the pid must be 0
        while (Fcntl(file, command, ref request) != 0)
        {
            if (!Interrupted) return LastErrno;
        }
        return Errno.None;
    }

    private enum LockType : short
    {
        Read = 0,
        Write = 1,
        Unlock = 2,
    }

    /// <summary>struct flock.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 32)]
    private struct RecordLock
    {
        [FieldOffset(0)] internal LockType Type;
        [FieldOffset(2)] internal short Whence;
        [FieldOffset(8)] internal long Start;
        [FieldOffset(16)] internal long Length;
        [FieldOffset(24)] internal int Pid;
    }
}
