using System.Runtime.InteropServices;

namespace StorageActors.Linux;

internal static partial class Libc
{
    private const int UnameField = 65;

    [LibraryImport(Library, EntryPoint = "uname", SetLastError = true)]
    private static unsafe partial int Uname(byte* buffer);

    /// <summary>uname(2): the kernel's release, such as "6.18.0-generic".</summary>
    internal static unsafe string KernelRelease()
    {
        var buffer = stackalloc byte[UnameField * 6];
        if (Uname(buffer) != 0) throw new LinuxException("uname", "", LastErrno);
        var release = new ReadOnlySpan<byte>(buffer + (2 * UnameField), UnameField);
        return PathText.Escape(release[..release.IndexOf((byte)0)]);
    }

    /// <summary>Major and minor of the kernel's release; for messages and the choice of what to probe first, never instead of a probe.</summary>
    internal static Version KernelVersion()
    {
        var parts = KernelRelease().Split('.', '-');
        var isNumber = int.TryParse(parts[0], out var major);
        return isNumber && parts.Length > 1 && int.TryParse(parts[1], out var minor) ? new Version(major, minor) : new Version(0, 0);
    }
}
