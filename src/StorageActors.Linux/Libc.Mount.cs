using System.Runtime.InteropServices;

namespace StorageActors.Linux;

internal static partial class Libc
{
    [LibraryImport(Library, EntryPoint = "mount", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int Mount(string? source, string target, string? type, MountFlags flags, byte* data);

    /// <summary>mount(2). Relative paths are the calling thread's: see <see cref="PrivateThread"/>.</summary>
    /// <remarks>
    /// The kernel copies one page of options and cuts the rest off without a word: a mount with too few layers, or without
    /// its upper directory, would succeed. Such a string is refused here, before the call, with E2BIG.
    /// </remarks>
    internal static unsafe void Mount(string? source, string target, string? type, MountFlags flags, ReadOnlySpan<byte> data = default)
    {
        var limit = Environment.SystemPageSize - 1;
        if (data.Length > limit)
        {
            throw new LinuxException("mount", target, Errno.E2BIG, flags: type,
                detail: $"the option string has {data.Length} bytes, the kernel takes {limit} and would cut the rest off silently");
        }
        if (data.Contains((byte)0)) throw new LinuxException("mount", target, Errno.EINVAL, flags: type, detail: "a NUL in the options");

        Span<byte> terminated = new byte[data.Length + 1];
        data.CopyTo(terminated);
        fixed (byte* start = terminated)
        {
            while (Mount(source, target, type, flags, data.IsEmpty ? null : start) != 0)
            {
                var errno = LastErrno;
                if (errno == Errno.EINTR) continue;
                throw new LinuxException("mount", target, errno, flags: type ?? flags.ToString(), detail: source is null ? null : $"source {source}");
            }
        }
    }

    /// <summary>Makes a mount private: what is mounted below is not copied into other mount namespaces.</summary>
    internal static void MakePrivate(string target) => Mount(null, target, null, MountFlags.Private);
}
