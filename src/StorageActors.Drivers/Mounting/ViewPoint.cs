using System.Security.Cryptography;
using System.Text;
using Microsoft.Win32.SafeHandles;
using StorageActors.Linux;

namespace StorageActors.Drivers.Mounting;

/// <summary>
/// A view of a stack by an API that knows no detached mounts: it is mounted in staging, opened and unmounted lazily at once, so that a crash leaves little.
/// </summary>
internal static class ViewPoint
{
    /// <summary>The root of the view; the mount is gone when it is closed.</summary>
    /// <param name="root">The store's root.</param>
    /// <param name="mount">Mounts at a path.</param>
    /// <param name="detach">Unmounts it lazily.</param>
    internal static SafeFileHandle Open(string root, Action<string> mount, Action<string> detach)
    {
        var name = $"staging/view-{RandomNumberGenerator.GetHexString(16, lowercase: true)}";
        using var directory = Libc.OpenDirectory(root);
        var errno = Libc.TryMkdirAt(directory, "staging"u8, 0x1C0);   // 0700; nearly always there
        if (errno is not (Errno.None or Errno.EEXIST)) throw Libc.Failure("mkdirat", directory, "staging"u8, errno);
        Libc.MkdirAt(directory, Encoding.ASCII.GetBytes(name), 0x1C0);
        try
        {
            var point = $"{root}/{name}";
            mount(point);
            try
            {
                return Libc.Open(point, OpenFlags.Directory);
            }
            finally
            {
                detach(point);
            }
        }
        finally
        {
            // A sweep of stale stagings may have been quicker, and takes what stays: neither is a fault of the view.
            Libc.TryUnlinkAt(directory, Encoding.ASCII.GetBytes(name), AtFlags.RemoveDirectory);
        }
    }
}
