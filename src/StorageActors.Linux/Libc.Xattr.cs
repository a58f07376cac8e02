using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace StorageActors.Linux;

internal static partial class Libc
{
    [LibraryImport(Library, EntryPoint = "fsetxattr", SetLastError = true)]
    private static unsafe partial int FSetXattr(SafeFileHandle file, byte* name, byte* value, nuint size, XattrFlags flags);

    [LibraryImport(Library, EntryPoint = "fgetxattr", SetLastError = true)]
    private static unsafe partial nint FGetXattr(SafeFileHandle file, byte* name, byte* value, nuint size);

    [LibraryImport(Library, EntryPoint = "flistxattr", SetLastError = true)]
    private static unsafe partial nint FListXattr(SafeFileHandle file, byte* list, nuint size);

    [LibraryImport(Library, EntryPoint = "fremovexattr", SetLastError = true)]
    private static unsafe partial int FRemoveXattr(SafeFileHandle file, byte* name);

    /// <summary>XATTR_NAME_MAX and a NUL.</summary>
    private const int XattrNameSize = 256;

    /// <summary>fsetxattr(2); O_PATH descriptors are served too.</summary>
    internal static void FSetXattr(
        SafeFileHandle file, ReadOnlySpan<byte> attribute, ReadOnlySpan<byte> value, XattrFlags flags = XattrFlags.None)
    {
        var errno = TryFSetXattr(file, attribute, value, flags);
        if (errno != Errno.None) throw Failure("fsetxattr", file, errno, PathText.Escape(attribute));
    }

    /// <summary>fsetxattr(2); EOPNOTSUPP and EPERM are answers, ENOSPC may mean that the value is too big for the inode.</summary>
    internal static unsafe Errno TryFSetXattr(
        SafeFileHandle file, ReadOnlySpan<byte> attribute, ReadOnlySpan<byte> value, XattrFlags flags = XattrFlags.None)
    {
        var name = stackalloc byte[XattrNameSize];
        var errno = TerminateAttribute(attribute, name);
        if (errno != Errno.None) return errno;
        fixed (byte* start = value)
        {
            while (FSetXattr(file, name, start, (nuint)value.Length, flags) != 0)
            {
                errno = LastErrno;
                if (errno == Errno.EBADF && !file.IsClosed) return TrySetXattrAt(file, [], attribute, value, flags);
                if (errno != Errno.EINTR) return errno;
            }
        }
        return Errno.None;
    }

    /// <summary>fgetxattr(2): the value, or null when the inode has no such attribute or the file system none at all.</summary>
    internal static byte[]? FGetXattr(SafeFileHandle file, ReadOnlySpan<byte> attribute)
    {
        var errno = ReadXattr(file, [], attribute, ofDescriptor: true, out var value);
        return errno switch
        {
            Errno.None => value,
            Errno.ENODATA or Errno.EOPNOTSUPP => null,
            _ => throw Failure("fgetxattr", file, errno, PathText.Escape(attribute)),
        };
    }

    /// <summary>fgetxattr(2) into a buffer; ENODATA, EOPNOTSUPP and ERANGE (the buffer is too small) are answers.</summary>
    internal static unsafe Errno TryFGetXattr(SafeFileHandle file, ReadOnlySpan<byte> attribute, Span<byte> buffer, out int length)
    {
        length = 0;
        var name = stackalloc byte[XattrNameSize];
        var errno = TerminateAttribute(attribute, name);
        if (errno != Errno.None) return errno;
        fixed (byte* start = buffer)
        {
            nint size;
            do size = FGetXattr(file, name, start, (nuint)buffer.Length); while (size < 0 && Interrupted);
            if (size < 0)
            {
                errno = LastErrno;
                return errno == Errno.EBADF && !file.IsClosed ? TryGetXattrAt(file, [], attribute, buffer, out length) : errno;
            }
            length = (int)size;
        }
        return Errno.None;
    }

    /// <summary>flistxattr(2): the names of all attributes; none where the file system has no attributes.</summary>
    internal static XattrNames FListXattr(SafeFileHandle file)
    {
        var errno = ListXattr(file, [], ofDescriptor: true, out var names);
        return errno is Errno.None or Errno.EOPNOTSUPP ? names : throw Failure("flistxattr", file, errno);
    }

    /// <summary>fremovexattr(2); false when there was no such attribute.</summary>
    internal static unsafe bool FRemoveXattr(SafeFileHandle file, ReadOnlySpan<byte> attribute)
    {
        var name = stackalloc byte[XattrNameSize];
        var errno = TerminateAttribute(attribute, name);
        while (errno == Errno.None && FRemoveXattr(file, name) != 0)
        {
            errno = LastErrno;
            if (errno == Errno.EINTR) errno = Errno.None;
        }
        if (errno == Errno.EBADF && !file.IsClosed) return RemoveXattrAt(file, [], attribute);
        if (errno is not (Errno.None or Errno.ENODATA)) throw Failure("fremovexattr", file, errno, PathText.Escape(attribute));
        return errno == Errno.None;
    }

    private static unsafe Errno TerminateAttribute(ReadOnlySpan<byte> attribute, byte* buffer)
    {
        if (attribute.Length >= XattrNameSize) return Errno.ERANGE;
        if (attribute.Contains((byte)0)) return Errno.EINVAL;
        attribute.CopyTo(new Span<byte>(buffer, XattrNameSize));
        buffer[attribute.Length] = 0;
        return Errno.None;
    }
}
