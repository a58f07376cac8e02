using System.Security.Cryptography;
using System.Text;
using Microsoft.Win32.SafeHandles;
using StorageActors.Linux;

namespace StorageActors.Drivers.Probing;

/// <summary>Finds out whether two files of a file system can have the same blocks, by making two that do.</summary>
internal static class SharingProbe
{
    /// <summary>Tries it in a directory; leaves nothing there.</summary>
    internal static bool Run(string path)
    {
        using var directory = Libc.OpenDirectory(path);
        using var source = Make(directory);
        using var target = Make(directory);
        Libc.WriteAll(source, new byte[4096]);
        return Libc.TryClone(target, source) == Errno.None;
    }

    private static SafeFileHandle Make(SafeFileHandle directory)
    {
        var name = Encoding.ASCII.GetBytes($"probe-{RandomNumberGenerator.GetHexString(16, lowercase: true)}");
        var file = Libc.OpenAt(directory, name, OpenFlags.ReadWrite | OpenFlags.Create | OpenFlags.Exclusive | OpenFlags.NoFollow, 0x180);
        Libc.UnlinkAt(directory, name);
        return file;
    }
}
