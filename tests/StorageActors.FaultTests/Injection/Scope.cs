using System.Text;
using StorageActors.FaultTests.Seccomp;
using StorageActors.Linux;

namespace StorageActors.FaultTests.Injection;

/// <summary>
/// Which calls are about the store: those on its file system, whatever way they reach it, on overlays, and those that make mounts. What the
/// runtime does for itself is none of a test's business.
/// </summary>
internal sealed class Scope(int process, string root)
{
    private const int CurrentDirectory = -100;
    private const int PathMax = 4096;
    private const int PageSize = 4096;
    private const uint Create = 0x40;
    private const short Unlock = 2;

    private readonly DeviceNumber _device = Libc.Stat(root).FileSystem;
    private readonly byte[] _root = Encoding.UTF8.GetBytes(root);
    private readonly Dictionary<DeviceNumber, bool> _overlays = [];

    internal unsafe bool Contains(SystemCall call, in Notification notification) => call.Subject switch
    {
        Subject.Mount => true,
        Subject.Descriptor => IsDescriptor((int)notification.Arguments[call.Argument]),
        Subject.Path => IsPath(notification.Arguments[call.Argument]),
        _ => (int)notification.Arguments[call.Argument] is var directory && directory == CurrentDirectory
            ? IsPath(notification.Arguments[call.Argument + 1])
            : IsDescriptor(directory),
    };

    /// <summary>Whether a lock is given back. As with close, the kernel never fails that, and nobody could act on it.</summary>
    internal unsafe bool Unlocks(SystemCall call, in Notification notification)
    {
        Span<byte> type = stackalloc byte[2];   // struct flock begins with it
        return call.Name == "fcntl" && Native.TryRead(process, notification.Arguments[2], type) && BitConverter.ToInt16(type) == Unlock;
    }

    /// <summary>Whether a call may wait for another process: of locks those alone that ask for it (F_SETLKW, F_OFD_SETLKW); the others are interrupted on remote file systems at most.</summary>
    internal static unsafe bool Waits(SystemCall call, in Notification notification) => call.Name != "fcntl" || notification.Arguments[1] is 7 or 38;

    /// <summary>Whether an open may make a file.</summary>
    internal unsafe bool Creates(SystemCall call, in Notification notification)
    {
        if (!call.Traits.HasFlag(Traits.MayCreate)) return false;
        Span<byte> how = stackalloc byte[8];
        return call.Name switch
        {
            "open" => (notification.Arguments[1] & Create) != 0,
            "openat" => (notification.Arguments[2] & Create) != 0,
            _ => Native.TryRead(process, notification.Arguments[2], how) && (BitConverter.ToUInt64(how) & Create) != 0,
        };
    }

    /// <summary>The call, and the name that it is about.</summary>
    internal unsafe string Describe(SystemCall call, in Notification notification) => call.Subject switch
    {
        Subject.Name => $"{call.Name} {Encoding.UTF8.GetString(ReadPath(notification.Arguments[call.Argument + 1]))}",
        Subject.Path => $"{call.Name} {Encoding.UTF8.GetString(ReadPath(notification.Arguments[call.Argument]))}",
        _ => call.Name,
    };

    private bool IsDescriptor(int descriptor)
    {
        var path = $"/proc/{process}/fd/{descriptor}";
        if (Libc.TryStat(path, out var status, AtFlags.None) != Errno.None) return false;
        if (status.FileSystem == _device) return true;
        if (status.FileSystem.Major != 0) return false;
        if (_overlays.TryGetValue(status.FileSystem, out var known)) return known;
        try
        {
            return _overlays[status.FileSystem] = Libc.StatFs(path).Type == FsMagic.Overlay;
        }
        catch (LinuxException)
        {
            return false;   // closed meanwhile
        }
    }

    private bool IsPath(ulong address)
    {
        var path = ReadPath(address);
        if (path.StartsWith(_root)) return true;
        if (!path.StartsWith("/proc/self/fd/"u8)) return false;
        var rest = path["/proc/self/fd/".Length..];
        var end = rest.IndexOf((byte)'/');
        return int.TryParse(end < 0 ? rest : rest[..end], out var descriptor) && IsDescriptor(descriptor);
    }

    private ReadOnlySpan<byte> ReadPath(ulong address)
    {
        var buffer = new byte[PathMax];
        var length = 0;
        while (length < PathMax)
        {
            // Never over the end of a page: the next one may not be there.
            var piece = (int)Math.Min(PathMax - length, PageSize - (long)((address + (ulong)length) % PageSize));
            if (!Native.TryRead(process, address + (ulong)length, buffer.AsSpan(length, piece))) break;
            var end = buffer.AsSpan(length, piece).IndexOf((byte)0);
            if (end >= 0) return buffer.AsSpan(0, length + end);
            length += piece;
        }
        return [];
    }
}
