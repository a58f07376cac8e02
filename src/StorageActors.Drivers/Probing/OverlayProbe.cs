using System.Collections.Concurrent;
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
    private static readonly ConcurrentDictionary<(string Kernel, DeviceNumber FileSystem, OverlayMethod? Pinned), OverlayAbilities> Known = new();

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

    private OverlayProbe(StoreTree tree, string home, string scratch) => (_tree, _home, _scratch) = (tree, home, scratch);

    /// <summary>
    /// What works here; a mounter's <see cref="StoreTree"/> is left as it is to be used. Refuses, with what to do about it, where nothing works or where
    /// <paramref name="pinned"/> does not.
    /// </summary>
    internal static OverlayAbilities Run(StoreTree tree, string home, OverlayMethod? pinned)
    {
        StoreFileSystem.CheckUpper(tree.Root);
        var key = (Libc.KernelRelease(), Libc.Stat(tree.Root, AtFlags.None).FileSystem, pinned);
        if (Known.TryGetValue(key, out var known))
        {
            if (known.Detached && tree.TryDetach() != Errno.None) known = known with { Detached = false };
            return known;
        }

        using var scratch = new ProbeScratch(tree.Root);
        scratch.Make("lower1", "lower2", "upper", "work", "merged");
        return Known[key] = new OverlayProbe(tree, home, scratch.Path).Find(pinned);
    }

    private OverlayAbilities Find(OverlayMethod? pinned)
    {
        StoreFileSystem.CheckFeatures(_scratch, _tree.Root);
        var isDetached = _tree.TryDetach() == Errno.None;
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
            $"No overlay can be mounted on the store at {_tree.Root}: {string.Join("; ", failures)}. The kernel needs overlayfs (modprobe overlay), the "
            + "store root's CAP_SYS_ADMIN; with SELinux or AppArmor look for denials. The driver vfs needs no mounts.", _tree.Root);
    }

    private OverlayAbilities? Try(OverlayMethod method, List<string> failures)
    {
        try
        {
            var (words, isVolatile) = method == OverlayMethod.OptionString ? ModuleWords() : ContextWords();
            var mounter = Create(method, words);
            var merged = _scratch + "/merged";
            mounter.Mount(new OverlayStack([_scratch + "/lower1", _scratch + "/lower2"], _scratch + "/upper", _scratch + "/work", MountWords.None), merged);
            Libc.Umount2(merged, UnmountFlags.Detach);
            return new OverlayAbilities(method, Detached: false, words, isVolatile, ShowsNestedXattrs(mounter));
        }
        catch (LinuxException e)
        {
            failures.Add($"{method}: {e.Message}");
            return null;
        }
    }

    private IOverlayMounter Create(OverlayMethod method, IReadOnlyList<KeyValuePair<string, string>> words) =>
        OverlayMounts.Create(method, _tree, path => _tree.RelativeTo(_home, path), path => _tree.RelativeTo(_home, path), words);

    private static (List<KeyValuePair<string, string>> Words, bool Volatile) ContextWords()
    {
        using var context = Libc.FsOpen("overlay");
        var words = new List<KeyValuePair<string, string>>();
        foreach (var (key, values, _) in Explicit)
        {
            var value = Array.Find(values, value => Takes(() => Libc.FsConfigString(context, key, value)));
            if (value is not null) words.Add(new(key, value));
        }

        return (words, Takes(() => Libc.FsConfigFlag(context, "volatile")));
    }

    /// <summary>mount(2) tells nothing about a single word, the module's parameters do. Volatile came with 5.10 and has none.</summary>
    private static (List<KeyValuePair<string, string>> Words, bool Volatile) ModuleWords()
    {
        var words = Explicit.Where(word => File.Exists("/sys/module/overlay/parameters/" + word.Parameter))
            .Select(word => new KeyValuePair<string, string>(word.Key, word.Values[^1])).ToList();
        return (words, Libc.KernelVersion() >= new Version(5, 10));
    }

    private bool ShowsNestedXattrs(IOverlayMounter mounter)
    {
        using (var lower = Libc.OpenDirectory(_scratch + "/lower1"))
        {
            if (Libc.TryFSetXattr(lower, "trusted.overlay.overlay.probe"u8, "y"u8) != Errno.None) return false;
        }

        using var view = mounter.View(new OverlayStack([_scratch + "/lower1", _scratch + "/lower2"], null, null, MountWords.None));
        return Libc.GetXattrAt(view, "."u8, "trusted.overlay.probe"u8) is not null;
    }

    private static bool Takes(Action configure)
    {
        try
        {
            configure();
            return true;
        }
        catch (LinuxException)
        {
            return false;
        }
    }
}
