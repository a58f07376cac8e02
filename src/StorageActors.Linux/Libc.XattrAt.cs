using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace StorageActors.Linux;

internal static partial class Libc
{
    private const int SetXattrAtNumber = 463;
    private const int GetXattrAtNumber = 464;
    private const int ListXattrAtNumber = 465;
    private const int RemoveXattrAtNumber = 466;

    [LibraryImport(Library, EntryPoint = "syscall", SetLastError = true)]
    private static unsafe partial nint XattrAt(
        nint number, SafeFileHandle directory, byte* path, AtFlags flags, byte* name, XattrArguments* arguments, nuint size);

    [LibraryImport(Library, EntryPoint = "syscall", SetLastError = true)]
    private static unsafe partial nint ListXattrAt(
        nint number, SafeFileHandle directory, byte* path, AtFlags flags, byte* list, nuint size);

    [LibraryImport(Library, EntryPoint = "lsetxattr", SetLastError = true)]
    private static unsafe partial nint LSetXattr(byte* path, byte* name, byte* value, nuint size, XattrFlags flags);

    [LibraryImport(Library, EntryPoint = "lgetxattr", SetLastError = true)]
    private static unsafe partial nint LGetXattr(byte* path, byte* name, byte* value, nuint size);

    [LibraryImport(Library, EntryPoint = "llistxattr", SetLastError = true)]
    private static unsafe partial nint LListXattr(byte* path, byte* list, nuint size);

    [LibraryImport(Library, EntryPoint = "lremovexattr", SetLastError = true)]
    private static unsafe partial nint LRemoveXattr(byte* path, byte* name);

    [LibraryImport(Library, EntryPoint = "setxattr", SetLastError = true)]
    private static unsafe partial nint SetXattr(byte* path, byte* name, byte* value, nuint size, XattrFlags flags);

    [LibraryImport(Library, EntryPoint = "getxattr", SetLastError = true)]
    private static unsafe partial nint GetXattr(byte* path, byte* name, byte* value, nuint size);

    [LibraryImport(Library, EntryPoint = "listxattr", SetLastError = true)]
    private static unsafe partial nint ListXattr(byte* path, byte* list, nuint size);

    [LibraryImport(Library, EntryPoint = "removexattr", SetLastError = true)]
    private static unsafe partial nint RemoveXattr(byte* path, byte* name);

    /// <summary>Sets an attribute of the name itself: of a link or device too, never of what a link points to.</summary>
    internal static void SetXattrAt(
        SafeFileHandle directory, ReadOnlySpan<byte> name,
        ReadOnlySpan<byte> attribute, ReadOnlySpan<byte> value, XattrFlags flags = XattrFlags.None)
    {
        var errno = TrySetXattrAt(directory, name, attribute, value, flags);
        if (errno != Errno.None) throw Failure("setxattrat", directory, name, errno, PathText.Escape(attribute));
    }

    /// <summary>Sets an attribute of the name itself; EOPNOTSUPP and EPERM are answers.</summary>
    internal static unsafe Errno TrySetXattrAt(
        SafeFileHandle directory, ReadOnlySpan<byte> name,
        ReadOnlySpan<byte> attribute, ReadOnlySpan<byte> value, XattrFlags flags = XattrFlags.None)
    {
        fixed (byte* start = value)
        {
            return CallXattrAt(SetXattrAtNumber, directory, name, attribute, start, (uint)value.Length, flags, out _);
        }
    }

    /// <summary>An attribute of the name itself, or null when it has none or the file system none at all.</summary>
    internal static byte[]? GetXattrAt(SafeFileHandle directory, ReadOnlySpan<byte> name, ReadOnlySpan<byte> attribute)
    {
        var errno = ReadXattr(directory, name, attribute, ofDescriptor: false, out var value);
        return errno switch
        {
            Errno.None => value,
            Errno.ENODATA or Errno.EOPNOTSUPP => null,
            _ => throw Failure("getxattrat", directory, name, errno, PathText.Escape(attribute)),
        };
    }

    /// <summary>An attribute of the name itself into a buffer; ENODATA, EOPNOTSUPP and ERANGE are answers.</summary>
    internal static unsafe Errno TryGetXattrAt(
        SafeFileHandle directory, ReadOnlySpan<byte> name, ReadOnlySpan<byte> attribute, Span<byte> buffer, out int length)
    {
        fixed (byte* start = buffer)
        {
            return CallXattrAt(
                GetXattrAtNumber, directory, name, attribute, start, (uint)buffer.Length, XattrFlags.None, out length);
        }
    }

    /// <summary>The names of all attributes of the name itself.</summary>
    internal static XattrNames ListXattrAt(SafeFileHandle directory, ReadOnlySpan<byte> name)
    {
        var errno = ListXattr(directory, name, ofDescriptor: false, out var names);
        return errno is Errno.None or Errno.EOPNOTSUPP ? names : throw Failure("listxattrat", directory, name, errno);
    }

    /// <summary>Removes an attribute of the name itself; false when there was none.</summary>
    internal static unsafe bool RemoveXattrAt(SafeFileHandle directory, ReadOnlySpan<byte> name, ReadOnlySpan<byte> attribute)
    {
        var errno = CallXattrAt(RemoveXattrAtNumber, directory, name, attribute, null, 0, XattrFlags.None, out _);
        return errno switch
        {
            Errno.None => true,
            Errno.ENODATA => false,
            _ => throw Failure("removexattrat", directory, name, errno, PathText.Escape(attribute)),
        };
    }

    private static unsafe Errno CallXattrAt(
        int call, SafeFileHandle directory, ReadOnlySpan<byte> name, ReadOnlySpan<byte> attribute,
        byte* value, uint size, XattrFlags flags, out int length)
    {
        length = 0;
        var path = stackalloc byte[NativePath.Size];
        var text = stackalloc byte[XattrNameSize];
        var errno = TerminateAttribute(attribute, text);
        if (errno != Errno.None) return errno;
        using var pin = new HandlePin(directory);
        var hasCall = KernelFeatures.XattrAt && !name.IsEmpty;   // with AT_EMPTY_PATH it refuses O_PATH descriptors
        errno = hasCall ? NativePath.Terminate(name, path) : NativePath.OfDescriptor(pin.Descriptor, name, path);
        if (errno != Errno.None) return errno;

        var arguments = new XattrArguments { Value = (ulong)value, Size = size, Flags = flags };
        nint result;
        do
        {
            // Through procfs: the descriptor's link must be followed when it is the whole path.
            result = (call, hasCall, name.IsEmpty) switch
            {
                (RemoveXattrAtNumber, true, _) => ListXattrAt(call, directory, path, AtFlags.SymlinkNoFollow, text, 0),
                (_, true, _) => XattrAt(call, directory, path, AtFlags.SymlinkNoFollow, text, &arguments, (nuint)sizeof(XattrArguments)),
                (SetXattrAtNumber, _, true) => SetXattr(path, text, value, size, flags),
                (SetXattrAtNumber, _, _) => LSetXattr(path, text, value, size, flags),
                (GetXattrAtNumber, _, true) => GetXattr(path, text, value, size),
                (GetXattrAtNumber, _, _) => LGetXattr(path, text, value, size),
                (_, _, true) => RemoveXattr(path, text),
                _ => LRemoveXattr(path, text),
            };
        }
        while (result < 0 && Interrupted);
        if (result < 0) return LastErrno;
        length = (int)result;
        return Errno.None;
    }

    /// <summary>Whether the kernel has the family: asked with arguments that every such kernel refuses.</summary>
    internal static unsafe bool ProbeXattrAt()
    {
        byte empty = 0;
        var result = XattrAt(GetXattrAtNumber, CurrentDirectory, &empty, AtFlags.None, &empty, null, 0);
        return result < 0 && LastErrno == Errno.EINVAL;   // a size of 0 is refused before anything is looked at
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct XattrArguments
    {
        internal ulong Value;
        internal uint Size;
        internal XattrFlags Flags;
    }
}
