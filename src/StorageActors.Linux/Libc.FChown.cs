using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace StorageActors.Linux;

internal static partial class Libc
{
    [LibraryImport(Library, EntryPoint = "fchownat", SetLastError = true)]
    private static unsafe partial int FChownAt(SafeFileHandle directory, byte* path, uint user, uint group, AtFlags flags);

    /// <summary>Changes owner and group of an open descriptor, O_PATH ones included. Clears setuid, setgid and capabilities.</summary>
    internal static void FChown(SafeFileHandle file, uint user, uint group) => Check(TryFChown(file, user, group), "fchown", file);

    /// <summary>The same; EPERM and EINVAL (an id the namespace lacks) are answers.</summary>
    internal static unsafe Errno TryFChown(SafeFileHandle file, uint user, uint group)
    {
        byte empty = 0;
        return FChownTerminated(file, &empty, user, group, AtFlags.EmptyPath);
    }

    /// <summary>fchownat(2), not following a link.</summary>
    internal static void FChownAt(SafeFileHandle directory, ReadOnlySpan<byte> name, uint user, uint group) =>
        Check(TryFChownAt(directory, name, user, group), "fchownat", directory, name);

    /// <summary>fchownat(2), not following a link; EPERM and EINVAL (an id the namespace lacks) are answers.</summary>
    internal static unsafe Errno TryFChownAt(SafeFileHandle directory, ReadOnlySpan<byte> name, uint user, uint group)
    {
        var buffer = stackalloc byte[NativePath.Size];
        var errno = NativePath.Terminate(name, buffer);
        return errno == Errno.None ? FChownTerminated(directory, buffer, user, group, AtFlags.SymlinkNoFollow) : errno;
    }

    private static unsafe Errno FChownTerminated(SafeFileHandle directory, byte* path, uint user, uint group, AtFlags flags)
    {
        while (FChownAt(directory, path, user, group, flags) != 0)
        {
            if (!Interrupted) return LastErrno;
        }
        return Errno.None;
    }
}
