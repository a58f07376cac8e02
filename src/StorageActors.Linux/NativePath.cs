using System.Text;

namespace StorageActors.Linux;

/// <summary>Turns a name without its NUL into what the kernel takes, in a buffer on the caller's stack.</summary>
internal static unsafe class NativePath
{
    /// <summary>PATH_MAX: the longest path the kernel takes, its NUL included.</summary>
    internal const int Size = 4096;

    internal static Errno Terminate(ReadOnlySpan<byte> path, byte* buffer)
    {
        if (path.Length >= Size) return Errno.ENAMETOOLONG;
        if (path.Contains((byte)0)) return Errno.EINVAL;   // the kernel would see another, shorter name
        path.CopyTo(new Span<byte>(buffer, Size));
        buffer[path.Length] = 0;
        return Errno.None;
    }

    internal static Errno Terminate(string path, byte* buffer)
    {
        var target = new Span<byte>(buffer, Size - 1);
        if (!Encoding.UTF8.TryGetBytes(path, target, out var length)) return Errno.ENAMETOOLONG;
        if (target[..length].Contains((byte)0)) return Errno.EINVAL;
        buffer[length] = 0;
        return Errno.None;
    }

    /// <summary>Writes <c>/proc/self/fd/N</c>, or <c>/proc/self/fd/N/name</c>, terminated.</summary>
    /// <remarks>The door to a descriptor for calls that take only paths. thread-self, since a thread may have left CLONE_FS.</remarks>
    internal static Errno OfDescriptor(nint descriptor, ReadOnlySpan<byte> name, byte* buffer)
    {
        var target = new Span<byte>(buffer, Size);
        "/proc/thread-self/fd/"u8.CopyTo(target);
        var length = "/proc/thread-self/fd/"u8.Length;
        descriptor.TryFormat(target[length..], out var digits);
        length += digits;
        if (!name.IsEmpty)
        {
            if (length + 1 + name.Length >= Size) return Errno.ENAMETOOLONG;
            if (name.Contains((byte)0)) return Errno.EINVAL;
            target[length++] = (byte)'/';
            name.CopyTo(target[length..]);
            length += name.Length;
        }
        target[length] = 0;
        return Errno.None;
    }
}
