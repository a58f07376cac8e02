using System.Text;
using Microsoft.Win32.SafeHandles;
using StorageActors.Drivers.Mounting;
using StorageActors.Drivers.Overlay;
using StorageActors.Linux;

namespace StorageActors.TestSupport.Aufs;

/// <summary>
/// One aufs mount of the simulated kernel: a real overlay over translated branches. What is written to it goes to a directory beside the branch that takes
/// writes; <see cref="Settle"/> brings the branch up to date, which real aufs is at any time.
/// </summary>
internal sealed class SimulatedUnion(string target, string scratch, MountFlags flags)
{
    private static readonly string[] Housekeeping = [".wh..wh.plnk", ".wh..wh.orph"];

    private static readonly KeyValuePair<string, string>[] Words =
        [new("redirect_dir", "nofollow"), new("metacopy", "off"), new("index", "off"), new("xino", "off")];

    private readonly Lock _lock = new();
    private readonly List<string> _lowers = [];
    private string? _upper;

    internal string Target { get; } = target;

    internal List<AufsBranch> Branches { get; } = [];

    /// <summary>The branch that takes writes; null when none does.</summary>
    internal string? Written => Branches.Count > 0 && Branches[0].IsWritable ? Branches[0].Path : null;

    internal MountFlags Flags { get; } = flags;

    /// <summary>Takes a branch in, at the bottom.</summary>
    internal void Add(AufsBranch branch)
    {
        var copy = $"{scratch}/{Branches.Count}";
        Libc.Mkdir(copy, 0x1C0);
        using var from = Libc.OpenDirectory(branch.Path);
        using (var to = Libc.OpenDirectory(copy)) BranchTranslation.ToOverlay(from, to);
        if (branch.IsWritable)
        {
            _upper = copy;
            Keep(from);
        }
        else
        {
            _lowers.Add(copy);
        }

        Branches.Add(branch);
    }

    /// <summary>Shows all branches that were taken in so far.</summary>
    internal void Show()
    {
        Libc.Mkdir(scratch + "/work", 0x1C0);
        var lowers = _lowers.ToList();
        for (var i = 0; lowers.Count < (_upper is null ? 2 : 1); i++)
        {
            lowers.Add($"{scratch}/empty{i}");
            Libc.Mkdir(lowers[^1], 0x1C0);
        }

        var words = MountWords.None with { ReadOnly = Flags.HasFlag(MountFlags.ReadOnly), Attributes = Attributes() };
        new NameMounter(static path => path, Words).Mount(new OverlayStack(lowers, _upper, _upper is null ? null : scratch + "/work", words), Target);
    }

    /// <summary>Takes the overlay away, to show more branches.</summary>
    internal Errno TryHide()
    {
        var errno = Libc.TryUmount2(Target);
        if (errno == Errno.None) DirectoryTree.Remove(Libc.CurrentDirectory, Encoding.UTF8.GetBytes(scratch + "/work"));
        return errno;
    }

    /// <summary>Writes what was written to the mount to the branch. What changes meanwhile is written the next time.</summary>
    internal void Settle()
    {
        lock (_lock)
        {
            if (_upper is null || Libc.TryStat(Branches[0].Path, out _) != Errno.None) return;
            using var upper = Libc.OpenDirectory(_upper);
            using var branch = Libc.OpenDirectory(Branches[0].Path);
            BranchTranslation.ToBranch(upper, branch);
        }
    }

    /// <summary>What the module makes in a branch that it writes to.</summary>
    private static void Keep(SafeFileHandle branch)
    {
        Libc.OpenAt(branch, ".wh..wh.aufs"u8, OpenFlags.WriteOnly | OpenFlags.Create, 0x124).Dispose();
        foreach (var name in Housekeeping) Libc.TryMkdirAt(branch, Encoding.ASCII.GetBytes(name), 0x1C0);
    }

    private MountAttributes Attributes()
    {
        var attributes = MountAttributes.None;
        if (Flags.HasFlag(MountFlags.NoSuid)) attributes |= MountAttributes.NoSuid;
        if (Flags.HasFlag(MountFlags.NoDevices)) attributes |= MountAttributes.NoDevices;
        if (Flags.HasFlag(MountFlags.NoExecute)) attributes |= MountAttributes.NoExecute;
        if (Flags.HasFlag(MountFlags.NoAccessTime)) attributes |= MountAttributes.NoAccessTime;
        return attributes;
    }
}
