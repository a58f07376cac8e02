using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace StorageActors.Linux;

internal static partial class Libc
{
    [LibraryImport(Library, EntryPoint = "statx", SetLastError = true)]
    private static unsafe partial int Statx(SafeFileHandle directory, byte* path, AtFlags flags, uint mask, out FileStatus status);

    /// <summary>The status of an open descriptor, O_PATH ones included.</summary>
    internal static unsafe FileStatus FStat(SafeFileHandle file, uint wanted = FileStatus.Wanted)
    {
        byte empty = 0;
        var errno = Statx(file, &empty, AtFlags.EmptyPath, out var status, wanted);
        return errno == Errno.None ? status : throw Failure("statx", file, errno);
    }

    /// <summary>The status of a name; of a link itself unless <paramref name="flags"/> say otherwise.</summary>
    internal static FileStatus FStatAt(SafeFileHandle directory, ReadOnlySpan<byte> name, AtFlags flags = AtFlags.SymlinkNoFollow)
    {
        var errno = TryFStatAt(directory, name, out var status, flags);
        return errno == Errno.None ? status : throw Failure("statx", directory, name, errno);
    }

    /// <summary>The status of a name; ENOENT and ENOTDIR are answers.</summary>
    internal static unsafe Errno TryFStatAt(
        SafeFileHandle directory, ReadOnlySpan<byte> name, out FileStatus status, AtFlags flags = AtFlags.SymlinkNoFollow)
    {
        status = default;
        var buffer = stackalloc byte[NativePath.Size];
        var errno = NativePath.Terminate(name, buffer);
        return errno == Errno.None ? Statx(directory, buffer, flags, out status) : errno;
    }

    /// <summary>The status of a path of the host; of a link itself unless <paramref name="flags"/> say otherwise.</summary>
    internal static FileStatus Stat(string path, AtFlags flags = AtFlags.SymlinkNoFollow)
    {
        var errno = TryStat(path, out var status, flags);
        return errno == Errno.None ? status : throw new LinuxException("statx", path, errno);
    }

    /// <summary>The status of a path of the host; ENOENT and ENOTDIR are answers.</summary>
    internal static unsafe Errno TryStat(string path, out FileStatus status, AtFlags flags = AtFlags.SymlinkNoFollow, uint wanted = FileStatus.Wanted)
    {
        status = default;
        var buffer = stackalloc byte[NativePath.Size];
        var errno = NativePath.Terminate(path, buffer);
        return errno == Errno.None ? Statx(CurrentDirectory, buffer, flags, out status, wanted) : errno;
    }

    private static unsafe Errno Statx(SafeFileHandle directory, byte* path, AtFlags flags, out FileStatus status, uint wanted = FileStatus.Wanted)
    {
        while (Statx(directory, path, flags | AtFlags.NoAutomount, wanted, out status) != 0)
        {
            if (!Interrupted) return LastErrno;
        }
        return Errno.None;
    }
}
