using Microsoft.Win32.SafeHandles;
using StorageActors.Drivers.Mounting;
using StorageActors.Drivers.Probing;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Drivers.Overlay;

/// <summary>
/// Mounts and unmounts stacks of layers, and gives views of them that are mounted nowhere. All runs on the caller's thread, but for mounts in the ways of older
/// kernels, which need a working directory of their own: one thread makes those.
/// </summary>
internal sealed class OverlayMounts : IDisposable
{
    /// <summary>Two of the deepest stacks.</summary>
    private const ulong MostKept = 2 * OverlayStack.MaximumLowers;

    private readonly string _home;
    private readonly StoreTree _tree;
    private readonly OverlayLinks _links;
    private readonly IReadOnlyList<string> _defaults;
    private readonly VolatileMark _mark;
    private readonly DetachedMark _detached;
    private readonly PlainLayers _plain = new();
    private readonly TimeProvider _time;
    private readonly PrivateThread _thread = new("overlay mounts");
    private readonly IOverlayMounter _mounter;
    private bool _isDisposed;

    /// <summary>Probes; refuses, saying why, where no overlay can be mounted.</summary>
    /// <param name="root">The store's root.</param>
    /// <param name="home">The driver's home below it.</param>
    /// <param name="links">The short links of the home.</param>
    /// <param name="options">The store's settings.</param>
    internal OverlayMounts(string root, string home, OverlayLinks links, DriverOptions options)
    {
        (_home, _links, _defaults, _time) = (home, links, options.MountOptions, options.Time);
        var boot = options.BootId ?? ProcFs.BootId();
        (_mark, _detached) = (new VolatileMark(boot), new DetachedMark(boot));
        _tree = new StoreTree(root, KeptDescriptors(), _time);
        try
        {
            (Abilities, Features) = _thread.Run(() =>
            {
                Libc.ChDir(home);
                var abilities = OverlayProbe.Run(_tree, home, options.OverlayMethod, options.UserXattrs);
                return (abilities, OverlayFeatures.Find(_tree, home, abilities));
            }).GetAwaiter().GetResult();
            MountWords.Parse(_defaults);
        }
        catch (Exception)
        {
            Dispose();
            throw;
        }

        _mounter = Create(Abilities.Method, _tree, path => _tree.RelativeTo(_home, path), path => _tree.RelativeTo(_home, Link(path)), Abilities.Words);
    }

    /// <summary>What was found to work.</summary>
    internal OverlayAbilities Abilities { get; }

    /// <summary>What else works here, for people.</summary>
    internal IReadOnlyList<StoreFact> Features { get; }

    /// <inheritdoc cref="ILayerDriver.NoIdMaps"/>
    internal string? NoIdMaps => IdMapProbe.Run(_tree.Root, Abilities);

    /// <summary>A mounter for a way to mount.</summary>
    /// <param name="method">The way.</param>
    /// <param name="tree">The store.</param>
    /// <param name="name">A path relative to the working directory of the thread that mounts.</param>
    /// <param name="shorten">The same by a short link.</param>
    /// <param name="words">Explicit options of every mount.</param>
    internal static IOverlayMounter Create(
        OverlayMethod method, StoreTree tree, Func<string, string> name, Func<string, string> shorten, IReadOnlyList<KeyValuePair<string, string>> words) =>
        method switch
        {
            OverlayMethod.Descriptors => new DescriptorMounter(tree, words),
            OverlayMethod.Names => new NameMounter(name, words),
            _ => new OptionStringMounter(tree, [name, shorten], words),
        };

    /// <inheritdoc cref="ILayerDriver.Mount"/>
    internal ActiveMount Mount(MountRequest request)
    {
        var layer = LayerDirectory.Of(request.Layer);
        var words = Words(request);
        var stack = Shifted(OverlayStack.Of(layer, request.Parents, words), request, "mount");
        if (Find(layer, out var point) is { } there)
        {
            if (IsAskedFor(layer, there, stack) && IdsMark.Read(layer).Equals(request.Ids)) return Active(layer, there.IsReadOnly, request.Ids);
            MountPoint.Unmount(layer.Merged, force: false);
            point = default;
        }

        var isPlain = !words.Volatile && stack.Upper is not null && request.Ids.IsHost() && _plain.IsStill(layer, point);
        if (!isPlain) Prepare(layer, stack, request.Ids, point);
        try
        {
            return Active(layer, Make(layer, stack), request.Ids);
        }
        catch (LinuxException e) when (isPlain && e.Errno is (Errno.EINVAL or Errno.EROFS))
        {
            // The kernel's own mark of a volatile mount lies deeper; it refuses the mount then, or to write, and the look says why.
            Prepare(layer, stack, request.Ids, point);
            return Active(layer, Make(layer, stack), request.Ids);
        }
    }

    /// <inheritdoc cref="ILayerDriver.Unmount"/>
    internal void Unmount(LayerLocation location, bool force)
    {
        var layer = LayerDirectory.Of(location);
        var (there, count) = (Find(layer), 0);
        var wasMounted = MountPoint.Unmount(layer.Merged, force, CountedUnmount, () => MountPoint.Find(layer.Merged));
        if (!wasMounted && Libc.TryStat(layer.Path, out _) != Errno.None) return;
        try
        {
            if (count != 1 || !LeftNothing(there)) using (var directory = Libc.OpenDirectory(layer.Path)) MountPoint.Replace(directory, "merged");
            // A lazy unmount has synced nothing yet, and a volatile one never does: then the kernel left its mark.
            if (there is { IsReadOnly: false } && !force && !_plain.Contains(layer) && !VolatileMark.IsKernels(layer)) VolatileMark.Clear(layer);
        }
        catch (LinuxException)
        {
            // There is no mount, and whoever is told otherwise would wait for its end: on a full disk nothing could be removed. The next mount makes its place again; a
            // mark that stays errs on the safe side.
        }

        Errno CountedUnmount(UnmountFlags flags)
        {
            var errno = Unmount(layer, there, flags);
            if (errno == Errno.None) count++;
            return errno;
        }
    }

    /// <inheritdoc cref="ILayerDriver.FindMount"/>
    internal ActiveMount? FindMount(LayerLocation location)
    {
        var layer = LayerDirectory.Of(location);
        return Find(layer) is { } there ? Active(layer, there.IsReadOnly, IdsMark.Read(layer)) : null;
    }

    /// <summary>Refuses a layer that is being written to, or whose writes a restart may have lost.</summary>
    internal void CheckSealable(LayerLocation location)
    {
        var layer = LayerDirectory.Of(location);
        if (Find(layer) is { IsReadOnly: false })
        {
            throw DriverErrors.Refuse(StorageErrorCode.WrongState, "seal", $"Layer {layer.Id} is mounted read-write; unmount it, then seal it.", layer.Merged);
        }

        CheckUnused(layer, OverlayStack.Of(layer, [], MountWords.None), "seal");
        _mark.Check(layer);
    }

    /// <inheritdoc cref="ILayerDriver.Describe"/>
    internal IReadOnlyList<MountStep> Describe(MountRequest request)
    {
        var layer = LayerDirectory.Of(request.Layer);
        var words = Words(request);
        var stack = OverlayStack.Of(layer, request.Parents, words).Showing(request.Ids, request.Layer, request.Parents);
        if (stack.IsShifted)
        {
            throw DriverErrors.Refuse(
                StorageErrorCode.Unsupported, "describe",
                $"Layer {layer.Id} is to be shown with the ids of a container ({request.Ids}), and options of mount(8) cannot say so. Mount it by the store, or use host ids.");
        }

        EnsureEmpty(layer, stack);
        if (stack.Upper is null && request.Parents.Count == 0) return [new MountStep("bind", layer.Diff, ["rbind", "ro", .. words.Attributes.ToOptions()])];
        if (stack.Upper is not null)
        {
            CheckUnused(layer, stack, "describe");
            _mark.Check(layer);
            _plain.Forget(layer);
            if (words.Volatile) _mark.Set(layer);
        }

        // The short links, so that a client that mounts with one page of options gets 128 layers into it by going to their common directory.
        var options = OptionPlan.Options(stack, path => path == stack.Upper ? path : Link(path), Abilities.Words);
        return [new MountStep("overlay", "overlay", [.. options, stack.Upper is null ? "ro" : "rw", .. words.Attributes.ToOptions()])];
    }

    /// <summary>The layer with all below it, read-only, mounted nowhere; gone when the descriptor is closed.</summary>
    /// <param name="location">The layer.</param>
    /// <param name="parents">The layers below.</param>
    /// <param name="follows">Whether redirects and metadata-only copies are followed, as our own mounts never do.</param>
    /// <param name="ids">Whose ids it shows.</param>
    internal SafeFileHandle View(LayerLocation location, IReadOnlyList<LayerLocation> parents, bool follows, IdMap ids)
    {
        var layer = LayerDirectory.Of(location);
        var plain = OverlayStack.Of(layer, parents, MountWords.None with { ReadOnly = true }) with { Follows = follows };
        var stack = Shifted(plain, new MountRequest(location, parents, MountMode.ReadOnly, []) { Ids = ids }, "diff");
        EnsureEmpty(layer, stack);
        return OnItsThread(() => _mounter.View(stack));
    }

    /// <summary>A layer is about to leave its place: it is mounted no more, nowhere, and nothing of it stays open.</summary>
    internal void Retire(LayerLocation location)
    {
        var layer = LayerDirectory.Of(location);
        // Before its mount point is replaced, and the mount gone from under whoever sees it.
        if (Abilities.UserXattrs && Find(layer) is null && Libc.TryStat(layer.Work + "/work", out _) == Errno.None)
            CheckUnused(layer, OverlayStack.Of(layer, [], MountWords.None), "remove");
        Unmount(location, force: false);
        _plain.Forget(layer);
        _tree.Forget(layer.Diff);
        _tree.Forget(layer.Empty);
    }

    /// <summary>Whether layers are noted that need not be looked through.</summary>
    internal bool NotesPlain => Abilities is { Method: OverlayMethod.Descriptors, UserXattrs: false };

    /// <summary>Whether the next mount of a layer need not look through it, unless something in it changes; for tests.</summary>
    internal bool IsKnownPlain(LayerLocation location) => _plain.Contains(LayerDirectory.Of(location));

    public void Dispose()
    {
        if (_isDisposed) return;
        _isDisposed = true;
        // The thread ends by itself, but the file system may be wanted back before.
        _thread.Run(() => Libc.ChDir("/")).GetAwaiter().GetResult();
        _thread.Dispose();
        _tree.Dispose();
    }

    /// <summary>An eighth of what this process may open, so that nobody goes short of descriptors for it.</summary>
    private static int KeptDescriptors() => (int)Math.Min(MostKept, Libc.GetOpenFileLimit().Soft / 8);

    /// <summary>Descriptors need no working directory: the caller's own thread does, and two changes of threads are half of what a mount costs.</summary>
    private T OnItsThread<T>(Func<T> action) => Abilities.Method == OverlayMethod.Descriptors ? action() : _thread.Run(action).GetAwaiter().GetResult();

    /// <summary>The short link in the place of a committed layer's content; other paths as they are.</summary>
    private string Link(string path)
    {
        if (!path.StartsWith(_home + "/", StringComparison.Ordinal) || !path.EndsWith("/diff", StringComparison.Ordinal)) return path;
        var layer = Path.GetDirectoryName(path)!;
        return $"{_home}/{_links.Publish(new LayerDirectory(LayerId.Parse(Path.GetFileName(layer)), layer))}";
    }

    private OverlayStack Shifted(OverlayStack stack, MountRequest request, string operation)
    {
        if (stack.Upper is not null && !request.Ids.Equals(request.Layer.Ids))
        {
            throw DriverErrors.Refuse(
                StorageErrorCode.WrongState, operation,
                $"Layer {request.Layer.Id} is written to with {request.Layer.Ids}, so it cannot be with {request.Ids}. Mount it read-only, or make a writable layer with that map.");
        }

        var shifted = stack.Showing(request.Ids, request.Layer, request.Parents);
        return !shifted.IsShifted || NoIdMaps is not { } why ? shifted : throw DriverErrors.NoIdMaps(operation, why, request.Ids);
    }

    private MountWords Words(MountRequest request)
    {
        var words = MountWords.Parse(_defaults.Concat(request.Options));
        if (request.Mode == MountMode.ReadOnly) words = words with { ReadOnly = true };
        words.CheckContext();

        // Without the word the mount only syncs more than was asked for.
        return Abilities.Volatile ? words : words with { Volatile = false };
    }

    private bool Make(LayerDirectory layer, OverlayStack stack) => OnItsThread(() => _mounter.Mount(stack, layer.Merged));

    /// <summary>Gets a layer ready for its mount, or says why it must not be mounted; what comes of it is remembered, if it is what comes of it nearly always.</summary>
    private void Prepare(LayerDirectory layer, OverlayStack stack, IdMap ids, in FileStatus point)
    {
        _plain.Forget(layer);
        var now = _time.GetUtcNow().ToUnixTimeSeconds();
        using var directory = Libc.OpenDirectory(layer.Path);
        var status = Libc.FStat(directory);
        MountPoint.Prepare(directory, "merged");
        IdsMark.Write(directory, layer, ids);
        EnsureEmpty(layer, stack);
        if (stack.Upper is null) return;
        CheckUnused(layer, stack, "mount");
        var isMarked = _mark.Check(layer);
        // In a user namespace the disk does not say who else has it mounted: there the kernel is asked each time.
        if (stack.Words.Volatile) _mark.Set(layer);
        else if (!isMarked && ids.IsHost() && NotesPlain) _plain.Note(layer, now, status, point);
    }

    private void CheckUnused(LayerDirectory layer, OverlayStack stack, string operation)
    {
        _detached.Check(layer, operation, IsInUse);
        // Root's mounts show in every mount namespace that there may be an engine in; those of users do not.
        if (Abilities.UserXattrs && IsInUse()) throw MountedElsewhere(layer, operation);

        bool IsInUse()
        {
            EnsureEmpty(layer, stack);
            return _thread.Run(() => _mounter.IsUpperInUse(stack)).GetAwaiter().GetResult();
        }
    }

    private static TransientDriverException MountedElsewhere(LayerDirectory layer, string operation) => new(new StorageError(
        StorageErrorCode.InUse, operation,
        $"Layer {layer.Id} is mounted read-write in another mount namespace, which this one does not see; unmount it there, or end the processes of that namespace (lsns -t mnt).",
        layer.Diff, nameof(Errno.EBUSY), StorageErrorReason.MountBusy, layer.Id));

    /// <summary>
    /// Whether the overlay that was unmounted is gone altogether, so that no other mount namespace has a copy of the mount: then nothing is left that would vanish with the
    /// mount point. A new one would be written to the disk by the next unmount, which waits for all that is: a fifth of what a mount and its unmount take.
    /// </summary>
    private static bool LeftNothing(MountPoint.State? there) => there is { } overlay && Libc.IsFileSystemGone(overlay.FileSystem);

    private Errno Unmount(LayerDirectory layer, MountPoint.State? there, UnmountFlags flags)
    {
        if (flags.HasFlag(UnmountFlags.Detach) && there is { IsReadOnly: false })
        {
            _plain.Forget(layer);
            _detached.Set(layer);
        }

        return Libc.TryUmount2(layer.Merged, flags);
    }

    private static MountPoint.State? Find(LayerDirectory layer) => Find(layer, out _);

    private static MountPoint.State? Find(LayerDirectory layer, out FileStatus point)
    {
        if (MountPoint.Find(layer.Merged, out point) is not { } there) return null;
        return there.Type == FsMagic.Overlay ? there : throw DriverErrors.Refuse(
            StorageErrorCode.InUse, "mount",
            $"{StoreFileSystem.NameOf(there.Type)}, not an overlay, is mounted at {layer.Merged}; it is not the store's. Unmount it.", layer.Merged);
    }

    private static bool IsAskedFor(LayerDirectory layer, MountPoint.State there, OverlayStack stack) =>
        there.IsReadOnly == stack.Words.ReadOnly
        && (there.Attributes & ~MountAttributes.ReadOnly) == stack.Words.Attributes
        && (stack.Upper is null || stack.Words.Volatile == VolatileMark.IsKernels(layer));

    private static ActiveMount Active(LayerDirectory layer, bool isReadOnly, IdMap ids) =>
        new(layer.Merged, isReadOnly ? MountMode.ReadOnly : MountMode.ReadWrite) { Ids = ids };

    private void EnsureEmpty(LayerDirectory layer, OverlayStack stack)
    {
        if (stack.Lowers[^1] != layer.Empty || !_tree.Contains(layer.Path)) return;
        using var directory = Libc.OpenDirectory(layer.Path);
        var errno = Libc.TryMkdirAt(directory, "empty"u8, 0x1C0);   // 0700; a layer that a peer made may lack it
        if (errno is not (Errno.None or Errno.EEXIST)) throw Libc.Failure("mkdirat", directory, "empty"u8, errno);
    }
}
