using System.Security.Cryptography;
using System.Text;
using Microsoft.Win32.SafeHandles;
using StorageActors.Linux;

namespace StorageActors.TestSupport;

/// <summary>
/// A fresh directory, gone with its whole content on disposal, whatever a test put there: immutable files, odd names, mounts.
/// A mount that was left is taken away and then reported, since a test that leaves one has failed.
/// </summary>
public sealed class TempDirectory : IDisposable
{
    private SafeFileHandle? _handle;

    /// <summary>Below the system's directory for temporary files, or below <paramref name="parent"/>.</summary>
    public TempDirectory(string? parent = null)
    {
        Path = System.IO.Path.Combine(
            parent ?? System.IO.Path.GetTempPath(), "storage-actors-" + RandomNumberGenerator.GetHexString(12, lowercase: true));
        Libc.Mkdir(Path, 0x1C0);
    }

    /// <summary>Absolute.</summary>
    public string Path { get; }

    /// <summary>The directory, open.</summary>
    public SafeFileHandle Handle => _handle ??= Libc.OpenDirectory(Path);

    /// <summary>The path of something in it.</summary>
    public string this[string name] => System.IO.Path.Combine(Path, name);

    public void Dispose()
    {
        _handle?.Dispose();
        var left = UnmountAll(Path);
        using (var parent = Libc.OpenDirectory(System.IO.Path.GetDirectoryName(Path)!))
        {
            DirectoryTree.Remove(parent, Encoding.UTF8.GetBytes(System.IO.Path.GetFileName(Path)));
        }
        if (left.Count > 0) throw new InvalidOperationException("the test left mounts: " + string.Join(", ", left));
    }

    /// <summary>
    /// Takes one mount away, as umount does. It may be busy for a moment without anybody's doing: a program that is being started has all our descriptors until it
    /// has begun to be that program.
    /// </summary>
    public static void Unmount(string target)
    {
        var errno = Errno.EBUSY;
        SpinWait.SpinUntil(() => (errno = Libc.TryUmount2(target)) != Errno.EBUSY, TimeSpan.FromMinutes(1));
        if (errno != Errno.None) throw new LinuxException("umount2", target, errno);
    }

    /// <summary>Takes away all mounts at and below a path, and returns where they were.</summary>
    internal static IReadOnlyList<string> UnmountAll(string path)
    {
        var mounts = MountTable.ReadBelow(path);
        foreach (var mount in mounts)
        {
            if (Libc.TryUmount2(mount.Target) != Errno.None) Libc.TryUmount2(mount.Target, UnmountFlags.Detach);
        }
        return mounts.Select(mount => mount.Target).ToList();
    }
}
