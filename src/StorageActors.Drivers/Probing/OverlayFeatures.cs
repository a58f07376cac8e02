using System.Collections.Concurrent;
using System.Text;
using StorageActors.Drivers.Mounting;
using StorageActors.Drivers.Overlay;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Drivers.Probing;

/// <summary>
/// What overlayfs can do here besides what the store's own mounts need: for people, and for engines that mount layers themselves. Each is found out by doing it on
/// throw-away directories, once for each start of the machine, release of the kernel, type of file system, way to mount and form of the marks: the answers are kept in the machine's
/// run directory, those of a user namespace, which others may have rights in than the machine's root, in the user's. No
/// mount relies on them, so they may be old; what a mount relies on is asked by every process anew (<see cref="OverlayProbe"/>).
/// </summary>
internal sealed class OverlayFeatures
{
    /// <summary>More than any page of options holds.</summary>
    private const int ManyLowers = 150;

    /// <summary>Of its own: sockets in a directory beside it may be for others.</summary>
    private const string DirectoryName = "storage-actors-probes";
    private const string Yes = "yes";
    private const string Group = "kernel";
    private const string NotWithUserXattrs = "no (not with userxattr)";
    private const string NativeDiff = "native diff";

    private static readonly ConcurrentDictionary<(string Kernel, FsMagic Type, OverlayMethod Method, bool UserXattrs), IReadOnlyList<StoreFact>> Known = new();

    private readonly StoreTree _tree;
    private readonly string _home;
    private readonly string _scratch;
    private readonly OverlayAbilities _abilities;
    private bool _isCertain = true;

    private OverlayFeatures(StoreTree tree, string home, string scratch, OverlayAbilities abilities) =>
        (_tree, _home, _scratch, _abilities) = (tree, home, scratch, abilities);

    /// <summary>The answers; run on the thread that mounts. What cannot be found out now is said to be so, and fails nothing.</summary>
    internal static IReadOnlyList<StoreFact> Find(StoreTree tree, string home, OverlayAbilities abilities)
    {
        try
        {
            var key = (Kernel: Libc.KernelRelease(), Libc.StatFs(tree.Root).Type, abilities.Method, abilities.UserXattrs);
            if (Known.TryGetValue(key, out var known)) return known;
            var file = RunDirectory(abilities) is { } run
                ? $"{run}/{DirectoryName}/overlay-{StoreFileSystem.NameOf(key.Type)}-{key.Method}{(key.UserXattrs ? "-" + OverlayAbilities.UserXattrWord : "")}" : null;
            var asked = $"{key.Kernel} {typeof(OverlayFeatures).Module.ModuleVersionId}"; // Another build may ask something else.
            if (file is not null && Read(file, asked) is { } kept) return Known[key] = kept;
            var (found, isCertain) = Probe(tree, home, abilities);
            if (!isCertain) return found;
            if (file is not null) Keep(file, asked, found);
            return Known[key] = found;
        }
        catch (LinuxException e)
        {
            return [new StoreFact(Group, "features", $"not found out: {e.Errno}")];
        }
    }

    /// <summary>Where answers are kept until the machine is started again; null where there is no such place.</summary>
    private static string? RunDirectory(OverlayAbilities abilities) => !abilities.UserXattrs ? "/run"
        : Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") is { Length: > 1 } run && Path.IsPathFullyQualified(run) ? Path.TrimEndingDirectorySeparator(run) : null;

    /// <summary>The pairs by which engines know a driver.</summary>
    internal static IEnumerable<StoreFact> Status(string root, OverlayAbilities abilities, IReadOnlyList<StoreFact> features) =>
    [
        new("status", "Backing Filesystem", StoreFileSystem.NameOf(Libc.StatFs(root).Type)),
        new("status", "Supports d_type", "true"), // Else there would be no such driver.
        new("status", "Native Overlay Diff", features.Any(static fact => fact is { Name: NativeDiff, Value: Yes }) ? "true" : "false"),
        new("status", "Using metacopy", "false"),
        new("status", "Supports volatile", abilities.Volatile ? "true" : "false"),
        new("status", "userxattr", abilities.UserXattrs ? "true" : "false"),
    ];

    private static (IReadOnlyList<StoreFact> Found, bool IsCertain) Probe(StoreTree tree, string home, OverlayAbilities abilities)
    {
        using var scratch = new ProbeScratch(tree.Root);
        scratch.Make("lower1", "lower1/dir", "lower2", "upper1", "work1", "upper2", "work2", "merged", "many");
        scratch.Make([.. Enumerable.Range(0, ManyLowers).Select(static index => FormattableString.Invariant($"many/{index}"))]);
        Libc.Open(scratch.Path + "/lower1/file", OpenFlags.WriteOnly | OpenFlags.Create, 0x180).Dispose();
        var features = new OverlayFeatures(tree, home, scratch.Path, abilities);
        return (features.All(), features._isCertain);
    }

    private List<StoreFact> All() =>
    [
        new(Group, NativeDiff, Ask(DiffsNatively)),
        new(Group, "metadata-only copies (metacopy)", _abilities.UserXattrs ? NotWithUserXattrs : Ask(CopiesMetadataAlone)),
        new(Group, "data-only layers", _abilities.UserXattrs ? NotWithUserXattrs : Ask(TakesDataOnly)),
        new(Group, FormattableString.Invariant($"{ManyLowers} layers in a stack"), Ask(TakesMany)),
        new(Group, "whiteouts without privileges", Libc.KernelVersion() >= new Version(5, 8) ? Yes : "no"),
        new(Group, "SELinux context mounts", Directory.Exists("/sys/fs/selinux") ? Ask(TakesContext) : "SELinux is not enabled"),
    ];

    /// <summary>What changed in a directory that is moved or made anew is all in the upper directory, under the options of our own mounts.</summary>
    private bool DiffsNatively() => InMount(_abilities.Words, "upper1", "work1", merged =>
    {
        if (Libc.TryRenameAt2(merged, "dir"u8, merged, "moved"u8) != Errno.EXDEV) return false;
        Libc.UnlinkAt(merged, "dir"u8, AtFlags.RemoveDirectory);
        Libc.MkdirAt(merged, "dir"u8, 0x1C0);
        using var upper = Libc.OpenDirectory(_scratch + "/upper1");
        return Libc.GetXattrAt(upper, "dir"u8, Encoding.ASCII.GetBytes(OverlayAbilities.MarkPrefix(_abilities.UserXattrs) + "opaque")) is [(byte)'y'];
    });

    private bool CopiesMetadataAlone() => InMount([new("redirect_dir", "on"), new("metacopy", "on")], "upper2", "work2", merged =>
    {
        Libc.FChmodAt(merged, "file"u8, 0x1A4);   // 0644
        using var upper = Libc.OpenDirectory(_scratch + "/upper2");
        return Libc.GetXattrAt(upper, "file"u8, "trusted.overlay.metacopy"u8) is not null;
    });

    private bool TakesDataOnly()
    {
        using var context = Libc.FsOpen("overlay");
        Libc.FsConfigString(context, "source", "overlay");
        foreach (var (key, name) in ((string, string)[])[("lowerdir+", "lower1"), ("datadir+", "lower2")])
        {
            using var directory = Libc.OpenDirectory($"{_scratch}/{name}");
            if (_abilities.Method == OverlayMethod.Descriptors) Libc.FsConfigFd(context, key, directory);
            else Libc.FsConfigString(context, key, _tree.RelativeTo(_home, $"{_scratch}/{name}"));
        }

        Libc.FsConfigString(context, "redirect_dir", "follow");
        Libc.FsConfigString(context, "metacopy", "on");
        Libc.FsConfigCreate(context);
        return true;
    }

    private bool TakesMany()
    {
        string[] lowers = [.. Enumerable.Range(0, ManyLowers).Select(index => FormattableString.Invariant($"{_scratch}/many/{index}"))];
        Mounter(_abilities.Words).View(new OverlayStack(lowers, null, null, MountWords.None)).Dispose();
        return true;
    }

    private bool TakesContext()
    {
        var words = MountWords.None with { Context = "system_u:object_r:container_file_t:s0" };
        Mounter(_abilities.Words).View(new OverlayStack([_scratch + "/lower1", _scratch + "/lower2"], null, null, words)).Dispose();
        return true;
    }

    private bool InMount(IReadOnlyList<KeyValuePair<string, string>> words, string upper, string work, Func<Microsoft.Win32.SafeHandles.SafeFileHandle, bool> look)
    {
        var merged = _scratch + "/merged";
        Mounter(words).Mount(new OverlayStack([_scratch + "/lower1", _scratch + "/lower2"], $"{_scratch}/{upper}", $"{_scratch}/{work}", MountWords.None), merged);
        try
        {
            using var mounted = Libc.OpenDirectory(merged);
            return look(mounted);
        }
        finally
        {
            Libc.TryUmount2(merged, UnmountFlags.Detach);
        }
    }

    private IOverlayMounter Mounter(IReadOnlyList<KeyValuePair<string, string>> words) =>
        OverlayMounts.Create(_abilities.Method, _tree, path => _tree.RelativeTo(_home, path), path => _tree.RelativeTo(_home, path), words);

    private string Ask(Func<bool> question)
    {
        try
        {
            return question() ? Yes : "no";
        }
        catch (LinuxException e)
        {
            // Only what the kernel refuses for good, and to everybody, is an answer.
            _isCertain &= e.Errno is Errno.EINVAL or Errno.EOPNOTSUPP or Errno.ENOSYS or Errno.ENODEV or Errno.E2BIG;
            return $"no ({e.Errno})";
        }
        catch (DriverException)
        {
            return "no"; // More options than a page holds.
        }
    }

    private static List<StoreFact>? Read(string file, string asked)
    {
        if (ReadOwn(file)?.Split('\n', StringSplitOptions.RemoveEmptyEntries) is not [var release, .. var lines] || release != asked) return null;
        var facts = lines.Select(static line => line.Split('\t')).ToList();
        return facts.Count > 0 && facts.TrueForAll(static parts => parts.Length == 2) ? facts.ConvertAll(static parts => new StoreFact(Group, parts[0], parts[1])) : null;
    }

    /// <summary>Null where the run directory is somebody else's, too: the environment may name that of who became root here.</summary>
    private static string? ReadOwn(string file)
    {
        try
        {
            return SmallFile.TryRead(file);
        }
        catch (LinuxException e) when (e.Errno == Errno.EACCES)
        {
            return null;
        }
    }

    private static void Keep(string file, string asked, IReadOnlyList<StoreFact> facts)
    {
        try
        {
            var directory = Path.GetDirectoryName(file)!;
            using (var run = Libc.OpenDirectory(Path.GetDirectoryName(directory)!)) Libc.TryMkdirAt(run, Encoding.ASCII.GetBytes(DirectoryName), 0x1C0);   // 0700
            SmallFile.WriteDurably(file, string.Concat(facts.Select(static fact => $"{fact.Name}\t{fact.Value}\n").Prepend(asked + "\n")));
        }
        catch (LinuxException)
        {
            // A run directory that takes nothing: the next process asks again.
        }
    }
}
