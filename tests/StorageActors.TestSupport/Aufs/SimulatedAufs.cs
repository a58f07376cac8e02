using System.Globalization;
using System.Text;
using StorageActors.Drivers.Aufs;
using StorageActors.Drivers.Mounting;
using StorageActors.Linux;

namespace StorageActors.TestSupport.Aufs;

/// <summary>
/// A kernel with aufs, simulated, behind the seam that the driver mounts through. It reads option strings as strictly as the module, cuts what is over a page,
/// keeps the branches, makes the file of inode numbers as the module does (so that two mounts at once get EEXIST), has an auplink that misses mounts while
/// others come and go, and shows the union.
/// </summary>
internal sealed class SimulatedAufs(string scratch) : IAufsKernel
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, SimulatedUnion> _mounted = new(StringComparer.Ordinal);
    private readonly List<SimulatedUnion> _detached = [];
    private readonly int[] _calls = new int[Enum.GetValues<AufsCall>().Length];
    private int _unions;
    private int _changes;
    private int _pauses;

    internal AufsRecord Record { get; } = new();

    /// <summary>What the machine is said to be.</summary>
    internal AufsMachine Machine { get; init; } = new(FsMagic.Ext, InUserNamespace: false, IsRegistered: true, ModuleAnswer: null, AufsMachine.DefaultBranchLimit);

    /// <summary>Whether <c>dirperm1</c> is known.</summary>
    internal bool KnowsDirperm1 { get; init; } = true;

    /// <summary>What happens between making the file of inode numbers and removing its name, given the mount point.</summary>
    internal Action<string> InsideXino { get; set; } = static _ => Interleave();

    /// <summary>What happens while auplink reads the table of mounts, given the mount point.</summary>
    internal Action<string> InsideFlush { get; set; } = static _ => Interleave();

    /// <summary>An errno for a call that fails before it does anything; the number counts calls of that kind from 1.</summary>
    internal Func<AufsCall, int, Errno> Fault { get; set; } = static (_, _) => Errno.None;

    internal int Pauses => _pauses;

    /// <summary>Where something is mounted.</summary>
    internal IReadOnlyList<string> Mounted
    {
        get
        {
            lock (_lock) return [.. _mounted.Keys];
        }
    }

    /// <summary>The branches of a mount, top to bottom, with their permissions as sysfs shows them.</summary>
    internal IReadOnlyList<string> BranchesOf(string target)
    {
        lock (_lock) return _mounted[target].Branches.Select(static branch => $"{branch.Path}={(branch.IsWritable ? "rw" : "ro+wh")}").ToList();
    }

    /// <inheritdoc/>
    public AufsMachine Examine(string root) => Machine with { FileSystem = Machine.FileSystem == FsMagic.Ext ? Libc.StatFs(root).Type : Machine.FileSystem };

    /// <inheritdoc/>
    public void Mount(string source, string target, string type, MountFlags flags, string data)
    {
        if (type != "aufs")
        {
            Libc.Mount(source, target, type, flags, Encoding.UTF8.GetBytes(data));
            return;
        }

        var begin = Record.Begin();
        var call = flags.HasFlag(MountFlags.Remount) ? AufsCall.Append : AufsCall.Mount;
        var errno = Errno.EINVAL;
        try
        {
            errno = FaultOf(call);
            if (errno == Errno.None) errno = call == AufsCall.Append ? Append(target, flags, Cut(data)) : MountNew(target, flags, Cut(data));
        }
        finally
        {
            Record.End(call, target, begin, (int)errno);
        }

        if (errno != Errno.None) throw new LinuxException("mount", target, errno);
    }

    /// <inheritdoc/>
    public Errno TryUnmount(string target, UnmountFlags flags)
    {
        SimulatedUnion? union;
        lock (_lock) _mounted.TryGetValue(target, out union);
        if (union is null) return Libc.TryUmount2(target, flags);
        var begin = Record.Begin();
        var errno = FaultOf(AufsCall.Unmount);
        if (errno == Errno.None) errno = Libc.TryUmount2(target, flags);
        if (errno == Errno.None)
        {
            lock (_lock)
            {
                _mounted.Remove(target);
                // Its users may go on writing; the real thing would go on writing to the branch.
                if (flags.HasFlag(UnmountFlags.Detach)) _detached.Add(union);
            }

            union.Settle();
            Interlocked.Increment(ref _changes);
        }

        Record.End(AufsCall.Unmount, target, begin, (int)errno);
        return errno;
    }

    /// <inheritdoc/>
    public MountPoint.State? Find(string target)
    {
        lock (_lock)
        {
            return MountPoint.Find(target) is not { } there ? null
                : there.Type == FsMagic.Overlay && _mounted.ContainsKey(target) ? there with { Type = FsMagic.Aufs } : there;
        }
    }

    /// <inheritdoc/>
    public AuplinkRun? Flush(string target)
    {
        var begin = Record.Begin();
        bool isMounted;
        lock (_lock) isMounted = _mounted.ContainsKey(target);
        if (!isMounted) Record.Violation($"auplink on {target}, where no aufs is mounted");
        var before = Volatile.Read(ref _changes);
        InsideFlush(target);
        // A reader of the table may be shown a list without a mount that is there, when others come and go meanwhile.
        var isMissed = FaultOf(AufsCall.Flush) != Errno.None || Volatile.Read(ref _changes) != before;
        Record.End(AufsCall.Flush, target, begin, isMissed ? 22 : 0);
        return isMissed ? new AuplinkRun(22, "no such mount point") : new AuplinkRun(0, "");
    }

    /// <inheritdoc/>
    public void Pause(TimeSpan time) => Interlocked.Increment(ref _pauses);

    /// <summary>Brings the branches up to date, as the real thing has them at any time.</summary>
    internal void Settle(IEnumerable<string> layers)
    {
        var branches = layers.Select(static layer => layer + "/diff").ToHashSet(StringComparer.Ordinal);
        List<SimulatedUnion> unions;
        lock (_lock) unions = [.. _mounted.Values.Concat(_detached).Where(union => union.Written is { } written && branches.Contains(written))];
        foreach (var union in unions) union.Settle();
    }

    private Errno MountNew(string target, MountFlags flags, string data)
    {
        var errno = AufsOptions.TryParse(data, remount: false, out var options);
        if (errno != Errno.None) return errno;
        if (options.Xino is null || !options.Xino.StartsWith("/dev/shm/", StringComparison.Ordinal)) Record.Violation($"the file of inode numbers is not in memory: {data}");
        if (options.Dirperm1 && !KnowsDirperm1) return Errno.EINVAL;
        var union = new SimulatedUnion(target, NewScratch(), flags & ~MountFlags.Remount);
        errno = Add(union, options.Branches, skipsDuplicates: false);
        if (errno == Errno.None) errno = MakeXino(options.Xino, target);
        if (errno != Errno.None) return errno;
        lock (_lock)
        {
            if (!_mounted.TryAdd(target, union)) Record.Violation($"a second mount on {target}");
            _detached.RemoveAll(old => old.Written == union.Written);
            union.Show();
        }

        Interlocked.Increment(ref _changes);
        return Errno.None;
    }

    private Errno Append(string target, MountFlags flags, string data)
    {
        SimulatedUnion? union;
        lock (_lock) _mounted.TryGetValue(target, out union);
        if (union is null) return Errno.EINVAL;
        // A remount takes away the flags that it does not say again.
        if ((flags & ~MountFlags.Remount) != union.Flags) Record.Violation($"a remount of {target} changes its flags");
        var errno = AufsOptions.TryParse(data, remount: true, out var options);
        if (errno == Errno.None) errno = union.TryHide();
        if (errno != Errno.None) return errno;
        errno = Add(union, options.Branches, skipsDuplicates: true);
        lock (_lock) union.Show();
        return errno;
    }

    private Errno Add(SimulatedUnion union, IReadOnlyList<AufsBranch> branches, bool skipsDuplicates)
    {
        foreach (var branch in branches)
        {
            var path = Absolute(branch.Path);
            if (path is null) return Errno.EINVAL;
            if (union.Branches.Exists(other => other.Path == path))
            {
                if (skipsDuplicates) continue;
                return Errno.EINVAL;
            }

            if (union.Branches.Count == Machine.BranchLimit) return Errno.ENOSPC;
            if (union.Branches.Exists(other => IsInside(path, other.Path) || IsInside(other.Path, path))) return Errno.EINVAL;
            if (branch.IsWritable && union.Branches.Count > 0) Record.Violation($"a branch below the first takes writes: {path}");
            union.Add(branch with { Path = path });
        }

        return Errno.None;
    }

    private Errno MakeXino(string? path, string target)
    {
        if (path is null) return Errno.None;
        var name = Encoding.UTF8.GetBytes(path);
        var errno = Libc.TryOpenAt(Libc.CurrentDirectory, name, OpenFlags.ReadWrite | OpenFlags.Create | OpenFlags.Exclusive, 0x180, out var file);
        using (file)
        {
            if (errno != Errno.None) return errno;
            InsideXino(target);
            Libc.TryUnlinkAt(Libc.CurrentDirectory, name);
            return Errno.None;
        }
    }

    /// <summary>A path as the kernel finds it, from the calling thread's own working directory; null when no directory is there.</summary>
    private static string? Absolute(string path)
    {
        if (Libc.TryOpen(path, OpenFlags.Path | OpenFlags.Directory, 0, out var directory) != Errno.None) return null;
        using (directory)
        using (var pin = new HandlePin(directory))
        {
            return Encoding.UTF8.GetString(Libc.ReadlinkAt(Libc.CurrentDirectory, Encoding.ASCII.GetBytes($"/proc/self/fd/{pin.Descriptor}")));
        }
    }

    private static bool IsInside(string path, string directory) => path.StartsWith(directory + "/", StringComparison.Ordinal);

    /// <summary>What mount(2) makes of a string that is too long.</summary>
    private string Cut(string data)
    {
        var bytes = Encoding.UTF8.GetBytes(data);
        if (bytes.Length < Environment.SystemPageSize) return data;
        Record.Violation($"a string of {bytes.Length} bytes, of which the kernel takes {Environment.SystemPageSize - 1}");
        return Encoding.UTF8.GetString(bytes.AsSpan(0, Environment.SystemPageSize - 1));
    }

    private Errno FaultOf(AufsCall call) => Fault(call, Interlocked.Increment(ref _calls[(int)call]));

    private string NewScratch()
    {
        var path = $"{scratch}/{Interlocked.Increment(ref _unions).ToString(CultureInfo.InvariantCulture)}";
        Libc.Mkdir(path, 0x1C0);
        return path;
    }

    /// <summary>Lets others run, as a kernel under load does at any moment.</summary>
    private static void Interleave()
    {
        for (var i = 0; i < 20; i++) Thread.Yield();
    }
}
