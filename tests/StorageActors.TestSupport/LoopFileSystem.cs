using System.Collections.Concurrent;
using StorageActors.Linux;

namespace StorageActors.TestSupport;

/// <summary>File systems that a store may lie on.</summary>
public enum FileSystemKind
{
    /// <summary>With a journal, as distributions make it.</summary>
    Ext4,

    /// <summary>With reflinks.</summary>
    Xfs,

    /// <summary>With reflinks and subvolumes.</summary>
    Btrfs,
}

/// <summary>
/// A real file system in a sparse image file, mounted through a loop device. Disposal unmounts, detaches, deletes, and fails when
/// something held on to it. Most tests want a directory on the <see cref="Shared"/> one of their process.
/// </summary>
public sealed class LoopFileSystem : IDisposable
{
    private const string Prefix = "storage-actors-loop-";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly ConcurrentDictionary<FileSystemKind, Lazy<LoopFileSystem>> SharedOnes = new();
    private static readonly Lazy<bool> Sweep = new(SweepLeftovers);

    private readonly string _home;
    private bool _isDisposed;

    private LoopFileSystem(FileSystemKind kind)
    {
        Kind = kind;
        _home = Path.Combine(Path.GetTempPath(), $"{Prefix}{Environment.ProcessId}-{ProcFs.StartTime(Environment.ProcessId)}-{Guid.NewGuid():N}");
        Root = Path.Combine(_home, "mnt");
    }

    /// <summary>What it is.</summary>
    public FileSystemKind Kind { get; }

    /// <summary>Where it is mounted.</summary>
    public string Root { get; }

    private string Image => Path.Combine(_home, "image");

    /// <summary>Makes and mounts one; skips the test where that is not possible (tier "loop").</summary>
    /// <param name="kind">What it is.</param>
    /// <param name="size">Its size in bytes, at least.</param>
    /// <param name="more">Options for the program that makes it.</param>
    public static LoopFileSystem Create(FileSystemKind kind, long size = 1L << 30, params string[] more)
    {
        _ = Sweep.Value;
        RequiredTiers.SkipUnless(Libc.GetEuid() == 0 && File.Exists("/dev/loop-control"), "loop", "needs root and loop devices");
        var (program, package, options) = kind switch
        {
            FileSystemKind.Ext4 => ("mkfs.ext4", "e2fsprogs", new[] { "-q", "-F" }),
            FileSystemKind.Xfs => ("mkfs.xfs", "xfsprogs", ["-q", "-f"]),
            _ => ("mkfs.btrfs", "btrfs-progs", ["-q", "-f"]),
        };
        var make = Command.FindOrInstall(program, package);
        RequiredTiers.SkipUnless(make is not null, "loop", $"needs {program}, of the package {package}");

        var made = new LoopFileSystem(kind);
        try
        {
            Libc.Mkdir(made._home, 0x1C9);   // 0711: a test may go on as an ordinary user
            Libc.Mkdir(made.Root, 0x1C0);
            using (var image = File.Create(made.Image)) image.SetLength(Math.Max(size, 400L << 20));   // xfs wants 300 MiB
            Command.Run(make!, [.. options, .. more, made.Image]);
            var device = Command.Run("losetup", "--find", "--show", made.Image).Trim();
            try
            {
                Libc.Mount(device, made.Root, made.TypeName, MountFlags.None);
            }
            finally
            {
                // While it is mounted this only tells the kernel to detach the device after the unmount. The image has no name
                // from now on: a test process that is killed leaves a mount and no more, and the next one sweeps that.
                Command.Run("losetup", "--detach", device);
                File.Delete(made.Image);
            }
            return made;
        }
        catch (Exception)
        {
            made.Dispose();
            throw;
        }
    }

    /// <summary>The one of this process; unmounted after its last test (<see cref="TestFramework"/>), at the latest when it ends.</summary>
    public static LoopFileSystem Shared(FileSystemKind kind) => SharedOnes.GetOrAdd(kind, static key => new Lazy<LoopFileSystem>(() =>
    {
        var made = Create(key, 4L << 30);
        AppDomain.CurrentDomain.ProcessExit += (_, _) => made.Dispose();
        return made;
    })).Value;

    /// <summary>Those that were made: the caller disposes them.</summary>
    internal static List<LoopFileSystem> TakeShared()
    {
        var taken = SharedOnes.Values.Where(one => one.IsValueCreated).Select(one => one.Value).ToList();
        SharedOnes.Clear();
        return taken;
    }

    /// <summary>A directory on it, deleted on disposal.</summary>
    public TempDirectory NewDirectory() => new(Root);

    private string TypeName => Kind switch { FileSystemKind.Ext4 => "ext4", FileSystemKind.Xfs => "xfs", _ => "btrfs" };

    public void Dispose()
    {
        if (_isDisposed) return;
        _isDisposed = true;
        var inner = MountTable.ReadBelow(Root).Where(mount => mount.Target != Root).Select(mount => mount.Target).ToList();
        foreach (var mount in inner) Libc.TryUmount2(mount, UnmountFlags.Detach);
        // Busy for a moment is nobody's doing: a program that is being started has all our descriptors until it has begun to be that program.
        var unmounted = Errno.None;
        SpinWait.SpinUntil(() => (unmounted = Libc.TryUmount2(Root)) != Errno.EBUSY, Patience);
        if (unmounted == Errno.EBUSY) Libc.TryUmount2(Root, UnmountFlags.Detach);
        if (Directory.Exists(_home)) Directory.Delete(_home, recursive: true);

        if (inner.Count > 0) throw new InvalidOperationException("mounts were left on the loop file system: " + string.Join(", ", inner));
        if (unmounted == Errno.EBUSY) throw new InvalidOperationException($"something still uses {Root}: a descriptor or a working directory was left");
    }

    /// <summary>Takes away what test processes left that were killed.</summary>
    private static bool SweepLeftovers()
    {
        foreach (var home in Directory.GetDirectories(Path.GetTempPath(), Prefix + "*"))
        {
            var parts = Path.GetFileName(home)[Prefix.Length..].Split('-');
            if (parts.Length < 2 || !int.TryParse(parts[0], out var pid)) continue;
            if (ProcFs.StartTime(pid)?.ToString() == parts[1]) continue;
            TempDirectory.UnmountAll(home);
            var image = Path.Combine(home, "image");
            var devices = Command.TryRun("losetup", "--associated", image, "--noheadings", "--output", "NAME")?.Output ?? "";
            foreach (var device in devices.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            {
                Command.TryRun("losetup", "--detach", device);
            }
            try
            {
                Directory.Delete(home, recursive: true);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Another test process sweeps at the same time.
            }
        }
        return true;
    }
}
