using System.Text;
using StorageActors.Linux;
using StorageActors.TestSupport;

namespace StorageActors.CrashTests.PowerCuts;

/// <summary>A file system in a file, through a loop device. Disposal unmounts it and all that is mounted in it.</summary>
internal sealed class LoopMount : IDisposable
{
    private const int Looks = 200;
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(100);

    private LoopMount(string directory) => Directory = directory;

    internal string Directory { get; }

    /// <summary>Makes an empty file system in a file.</summary>
    internal static void Make(FileSystemKind kind, string file)
    {
        var (program, package, options) = kind switch
        {
            FileSystemKind.Ext4 => ("mkfs.ext4", "e2fsprogs", new[] { "-q", "-F", "-E", "nodiscard" }),
            FileSystemKind.Xfs => ("mkfs.xfs", "xfsprogs", ["-q", "-f", "-K"]),
            _ => ("mkfs.btrfs", "btrfs-progs", ["-q", "-f", "-K"]),
        };
        var make = Command.FindOrInstall(program, package);
        RequiredTiers.SkipUnless(make is not null, "loop", $"needs {program}, of the package {package}");
        Command.Run(make!, [.. options, file]);
    }

    /// <summary>Attaches a file to a loop device, for <see cref="Make"/> and <see cref="Mount"/>; detach it with <see cref="Detach"/>.</summary>
    internal static string Attach(string file) => Command.Run("losetup", "--find", "--show", file).Trim();

    internal static void Detach(string device) => Command.Run("losetup", "--detach", device);

    /// <summary>Mounts a device; the file system puts itself right, as after any power cut.</summary>
    internal static LoopMount Mount(FileSystemKind kind, string device, string directory)
    {
        System.IO.Directory.CreateDirectory(directory);
        Libc.Mount(device, directory, kind switch { FileSystemKind.Ext4 => "ext4", FileSystemKind.Xfs => "xfs", _ => "btrfs" }, MountFlags.None);
        return new LoopMount(directory);
    }

    public void Dispose()
    {
        // The next image is the same file system, which no kernel mounts twice: what is only detached would be in its way.
        using var never = new ManualResetEvent(initialState: false);
        foreach (var mount in MountTable.ReadBelow(Directory))
        {
            for (var look = 0; look < Looks && Libc.TryUmount2(mount.Target) == Errno.EBUSY; look++) never.WaitOne(Moment);
        }

        foreach (var mount in MountTable.ReadBelow(Directory)) Libc.TryUmount2(mount.Target, UnmountFlags.Detach);
        // With the mount point go the copies that other mount namespaces have of the mount.
        Libc.TryUnlinkAt(Libc.CurrentDirectory, Encoding.UTF8.GetBytes(Directory), AtFlags.RemoveDirectory);
    }
}
