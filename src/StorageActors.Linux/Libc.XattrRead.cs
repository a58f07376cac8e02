using Microsoft.Win32.SafeHandles;

namespace StorageActors.Linux;

internal static partial class Libc
{
    /// <summary>Reads a value of any size: a buffer on the stack first, since nearly all values are short.</summary>
    private static Errno ReadXattr(
        SafeFileHandle file, ReadOnlySpan<byte> name, ReadOnlySpan<byte> attribute, bool ofDescriptor, out byte[] value)
    {
        Span<byte> buffer = stackalloc byte[512];
        while (true)
        {
            var errno = ofDescriptor
                ? TryFGetXattr(file, attribute, buffer, out var length)
                : TryGetXattrAt(file, name, attribute, buffer, out length);
            value = errno == Errno.None ? buffer[..length].ToArray() : [];
            if (errno != Errno.ERANGE || buffer.Length >= XattrSizeMax) return errno;
            buffer = new byte[XattrSizeMax];
        }
    }

    private static Errno ListXattr(SafeFileHandle file, ReadOnlySpan<byte> name, bool ofDescriptor, out XattrNames names)
    {
        Span<byte> buffer = stackalloc byte[1024];
        while (true)
        {
            var errno = ofDescriptor ? FListXattr(file, buffer, out var length) : ListXattrAt(file, name, buffer, out length);
            names = new XattrNames(errno == Errno.None ? buffer[..length].ToArray() : []);
            if (errno == Errno.EBADF && ofDescriptor && !file.IsClosed) ofDescriptor = false;   // O_PATH
            else if (errno == Errno.ERANGE && buffer.Length < XattrSizeMax) buffer = new byte[XattrSizeMax];
            else return errno;
        }
    }

    /// <summary>XATTR_SIZE_MAX and XATTR_LIST_MAX.</summary>
    private const int XattrSizeMax = 65536;

    private static unsafe Errno FListXattr(SafeFileHandle file, Span<byte> buffer, out int length)
    {
        fixed (byte* start = buffer)
        {
            nint size;
            do size = FListXattr(file, start, (nuint)buffer.Length); while (size < 0 && Interrupted);
            length = (int)size;
            return size < 0 ? LastErrno : Errno.None;
        }
    }

    private static unsafe Errno ListXattrAt(SafeFileHandle directory, ReadOnlySpan<byte> name, Span<byte> buffer, out int length)
    {
        length = 0;
        var path = stackalloc byte[NativePath.Size];
        using var pin = new HandlePin(directory);
        var hasCall = KernelFeatures.XattrAt && !name.IsEmpty;
        var errno = hasCall ? NativePath.Terminate(name, path) : NativePath.OfDescriptor(pin.Descriptor, name, path);
        if (errno != Errno.None) return errno;
        fixed (byte* start = buffer)
        {
            nint size;
            do
            {
                size = hasCall ? ListXattrAt(ListXattrAtNumber, directory, path, AtFlags.SymlinkNoFollow, start, (nuint)buffer.Length)
                    : name.IsEmpty ? ListXattr(path, start, (nuint)buffer.Length)
                    : LListXattr(path, start, (nuint)buffer.Length);
            }
            while (size < 0 && Interrupted);
            length = (int)size;
            return size < 0 ? LastErrno : Errno.None;
        }
    }
}
