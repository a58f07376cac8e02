using System.Collections.Concurrent;
using System.Text;
using StorageActors.Drivers.Mounting;
using StorageActors.Drivers.Overlay;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Drivers.Probing;

/// <summary>
/// Finds out, on the store's mount thread, what overlayfs can do by doing it on throw-away directories. It takes about a millisecond, so the answer is kept for this process and
/// not on disk, where it would outlive a new kernel, a module's options or a seccomp filter.
/// </summary>
internal sealed class OverlayProbe
{
    private static readonly ConcurrentDictionary<(string Kernel, DeviceNumber FileSystem, OverlayMethod? Pinned, bool? UserXattrs), OverlayAbilities> Known = new();

    /// <summary>In order of what they guard; the first value that the kernel knows is used. nofollow: an image must not point into other directories.</summary>
    private static readonly (string Key, string[] Values, string Parameter)[] Explicit =
    [
        ("redirect_dir", ["nofollow", "off"], "redirect_dir"),
        ("metacopy", ["off"], "metacopy"),
        ("index", ["off"], "index"),
        ("xino", ["off"], "xino_auto"),
    ];

    private readonly StoreTree _tree;
    private readonly string _home;
    private readonly string _scratch;
    private bool _userXattrs;

    private OverlayProbe(StoreTree tree, string home, string scratch) => (_tree, _home, _scratch) = (tree, home, scratch);

    /// <summary>
    /// What works here; a mounter's <see cref="StoreTree"/> is left as it is to be used. Refuses, with what to do about it, where nothing works or where
    /// <paramref name="pinned"/> does not.
    /// </summary>
    /// <param name="tree">The store.</param>
    /// <param name="home">The driver's home.</param>
    /// <param name="pinned">The way to mount; null for the best.</param>
    /// <param name="userXattrs">The form of the marks; null for what this process has the rights to.</param>
    internal static OverlayAbilities Run(StoreTree tree, string home, OverlayMethod? pinned, bool? userXattrs = null)
    {
        StoreFileSystem.CheckUpper(tree.Root);
        var key = (Libc.KernelRelease(), Libc.Stat(tree.Root, AtFlags.None).FileSystem, pinned, userXattrs);
        if (Known.TryGetValue(key, out var known))
        {
            if (known.Detached && !Detach(tree)) known = known with { Detached = false };
            return known;
        }

        using var scratch = new ProbeScratch(tree.Root);
        scratch.Make("lower1", "lower2", "upper", "work", "merged");
        return Known[key] = new OverlayProbe(tree, home, scratch.Path).Find(pinned, userXattrs);
    }

    private OverlayAbilities Find(OverlayMethod? pinned, bool? userXattrs)
    {
        _userXattrs = StoreFileSystem.CheckFeatures(_scratch, _tree.Root, userXattrs);
        var isDetached = Detach(_tree);
        var failures = new List<string>();
        foreach (var method in pinned is { } only ? [only] : Enum.GetValues<OverlayMethod>())
        {
            if (Try(method, failures) is { } abilities) return abilities with { Detached = isDetached };
            if (method != OverlayMethod.Descriptors || !isDetached) continue;
            _tree.Attach();
            isDetached = false;
            if (Try(method, failures) is { } attached) return attached;
        }

        throw DriverErrors.Refuse(
            StorageErrorCode.Unsupported, "probe",
            $"No overlay can be mounted on the store at {_tree.Root}: {string.Join("; ", failures)}. It needs overlayfs in the kernel (modprobe overlay) and {Rights()}; "
            + "with SELinux or AppArmor look for denials. The driver vfs needs no mounts.", _tree.Root);

        string Rights() => !_userXattrs ? "root with CAP_SYS_ADMIN"
            : "root's rights, be it those of a user namespace with mounts of its own (Linux 5.11; unshare --user --map-root-user --mount, podman unshare, rootlesskit)";
    }

    private static bool Detach(StoreTree tree)
    {
        var errno = tree.TryDetach();
        return ProbeErrors.IsPassing(errno) ? throw new LinuxException("open_tree", tree.Root, errno) : errno == Errno.None;
    }

    private OverlayAbilities? Try(OverlayMethod method, List<string> failures)
    {
        try
        {
            var (words, isVolatile) = method == OverlayMethod.OptionString ? ModuleWords(_userXattrs) : ContextWords(_userXattrs);
            var mounter = Create(method, words);
            var merged = _scratch + "/merged";
            mounter.Mount(new OverlayStack([_scratch + "/lower1", _scratch + "/lower2"], _scratch + "/upper", _scratch + "/work", MountWords.None), merged);
            Libc.Umount2(merged, UnmountFlags.Detach);
            return new OverlayAbilities(method, Detached: false, words, isVolatile, ShowsNestedXattrs(mounter), _userXattrs);
        }
        catch (LinuxException e) when (!ProbeErrors.IsPassing(e.Errno))
        {
            failures.Add($"{method}: {e.Message}");
            return null;
        }
    }

    private IOverlayMounter Create(OverlayMethod method, IReadOnlyList<KeyValuePair<string, string>> words) =>
        OverlayMounts.Create(method, _tree, path => _tree.RelativeTo(_home, path), path => _tree.RelativeTo(_home, path), words);

    private static (List<KeyValuePair<string, string>> Words, bool Volatile) ContextWords(bool userXattrs)
    {
        using var context = Libc.FsOpen("overlay");
        var words = new List<KeyValuePair<string, string>>();
        if (userXattrs)
        {
            words.Add(new(OverlayAbilities.UserXattrWord, ""));
            ContextMounter.Configure(context, words[0]);
        }

        foreach (var (key, values, _) in Explicit)
        {
            var value = Array.Find(values, value => Takes(() => Libc.FsConfigString(context, key, value)));
            if (value is not null) words.Add(new(key, value));
        }

        return (words, Takes(() => Libc.FsConfigFlag(context, "volatile")));
    }

    /// <summary>mount(2) tells nothing about a single word, the module's parameters do. Volatile came with 5.10 and has none.</summary>
    private static (List<KeyValuePair<string, string>> Words, bool Volatile) ModuleWords(bool userXattrs)
    {
        // With userxattr (5.11) no redirect is followed, and "off", which may be told to follow, is refused; nofollow came with 4.15.
        var words = Explicit.Where(word => File.Exists("/sys/module/overlay/parameters/" + word.Parameter))
            .Select(word => new KeyValuePair<string, string>(word.Key, userXattrs ? word.Values[0] : word.Values[^1])).ToList();
        if (userXattrs) words.Insert(0, new(OverlayAbilities.UserXattrWord, ""));
        return (words, Libc.KernelVersion() >= new Version(5, 10));
    }

    private bool ShowsNestedXattrs(IOverlayMounter mounter)
    {
        var prefix = OverlayAbilities.MarkPrefix(_userXattrs);
        using (var lower = Libc.OpenDirectory(_scratch + "/lower1"))
        {
            var errno = Libc.TryFSetXattr(lower, Encoding.ASCII.GetBytes(prefix + "overlay.probe"), "y"u8);
            if (ProbeErrors.IsPassing(errno)) throw new LinuxException("fsetxattr", _scratch + "/lower1", errno);
            if (errno != Errno.None) return false;
        }

        using var view = mounter.View(new OverlayStack([_scratch + "/lower1", _scratch + "/lower2"], null, null, MountWords.None));
        return Libc.GetXattrAt(view, "."u8, Encoding.ASCII.GetBytes(prefix + "probe")) is not null;
    }

    private static bool Takes(Action configure)
    {
        try
        {
            configure();
            return true;
        }
        catch (LinuxException e) when (!ProbeErrors.IsPassing(e.Errno))
        {
            return false;
        }
    }
}
