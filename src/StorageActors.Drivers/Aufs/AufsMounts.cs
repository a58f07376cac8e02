using Microsoft.Win32.SafeHandles;
using StorageActors.Drivers.Mounting;
using StorageActors.Drivers.Probing;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Drivers.Aufs;

/// <summary>
/// Shows layers: with layers below as a union, without any as the directory itself, which is not mounted at all unless an option asks for what only a mount
/// can have.
/// </summary>
internal sealed class AufsMounts : IDisposable
{
    private readonly string _root;
    private readonly IAufsKernel _kernel;
    private readonly IReadOnlyList<string> _defaults;
    private readonly UnionMounts _unions;
    private readonly HeldMark _held;

    /// <summary>Probes; refuses, saying why, where aufs cannot be mounted.</summary>
    /// <param name="root">The store's root.</param>
    /// <param name="home">The driver's home below it.</param>
    /// <param name="options">The store's settings.</param>
    /// <param name="kernel">The machine.</param>
    /// <param name="machine">What it can do.</param>
    internal AufsMounts(string root, string home, DriverOptions options, IAufsKernel kernel, AufsMachine machine)
    {
        (_root, _kernel, _defaults) = (root, kernel, options.MountOptions);
        _held = new HeldMark(options.BootId ?? ProcFs.BootId());
        Machine = machine;
        MountWords.Parse(_defaults);
        var warn = options.Warn ?? (static _ => { });
        _unions = new UnionMounts(home, kernel, Machine, warn);
        try
        {
            Dirperm1 = AufsProbe.Run(root, kernel, _unions, warn);
        }
        catch (Exception)
        {
            Dispose();
            throw;
        }
    }

    /// <summary>What the machine can do.</summary>
    internal AufsMachine Machine { get; }

    /// <summary>Whether mounts have <c>dirperm1</c>.</summary>
    internal bool Dirperm1 { get; }

    /// <inheritdoc cref="ILayerDriver.Mount"/>
    internal ActiveMount Mount(MountRequest request)
    {
        var layer = AufsDirectory.Of(request.Layer);
        var words = Words(request);
        var isBase = request.Parents.Count == 0;
        if (Find(layer) is { } there)
        {
            if (!(isBase && !NeedsMount(request)) && there.IsReadOnly == words.ReadOnly && (there.Attributes & ~MountAttributes.ReadOnly) == words.Attributes)
            {
                return new ActiveMount(layer.Mnt, ModeOf(there));
            }

            _unions.Unmount(layer.Mnt, force: false);
        }

        if (isBase && !NeedsMount(request))
        {
            var mode = words.ReadOnly ? MountMode.ReadOnly : MountMode.ReadWrite;
            Libc.OpenDirectory(layer.Diff).Dispose();
            _held.Set(layer, mode);
            return new ActiveMount(layer.Diff, mode);
        }

        using (var directory = Libc.OpenDirectory(layer.Path)) MountPoint.Prepare(directory, "mnt");
        HeldMark.Clear(layer);
        if (isBase) Bind(layer, words);
        else _unions.Mount(Stack(request, words, root: ""), layer.Mnt);
        try
        {
            var made = Find(layer) ?? throw new LinuxException("mount", layer.Mnt, Errno.ENOENT, detail: "it was unmounted at once by somebody else");
            return new ActiveMount(layer.Mnt, ModeOf(made));
        }
        catch (LinuxException)
        {
            // Nobody is told of a mount that cannot be looked at, so nobody would unmount it.
            _unions.Detach(layer.Mnt);
            throw;
        }
    }

    /// <inheritdoc cref="ILayerDriver.Unmount"/>
    internal void Unmount(LayerLocation location, bool force)
    {
        var layer = AufsDirectory.Of(location);
        Find(layer); // Refuses what is not the store's.
        var wasMounted = _unions.Unmount(layer.Mnt, force);
        if (!wasMounted && Libc.TryStat(layer.Path, out _) != Errno.None) return;
        try
        {
            HeldMark.Clear(layer);
            using var directory = Libc.OpenDirectory(layer.Path);
            MountPoint.Replace(directory, "mnt");
        }
        catch (LinuxException) when (wasMounted)
        {
            // The mount is gone, and whoever is told otherwise would wait for it. The next mount makes its place again.
        }
    }

    /// <inheritdoc cref="ILayerDriver.FindMount"/>
    internal ActiveMount? FindMount(LayerLocation location)
    {
        var layer = AufsDirectory.Of(location);
        if (Find(layer) is { } there) return new ActiveMount(layer.Mnt, ModeOf(there));
        return _held.Find(layer) is { } mode ? new ActiveMount(layer.Diff, mode) : null;
    }

    /// <summary>Refuses a layer that is being written to.</summary>
    internal void CheckSealable(LayerLocation location)
    {
        if (FindMount(location) is not { Mode: MountMode.ReadWrite } mount) return;
        throw DriverErrors.Refuse(StorageErrorCode.WrongState, "seal", $"Layer {location.Id} is mounted read-write; unmount it, then seal it.", mount.Path);
    }

    /// <summary>Refuses a stack that could never be mounted.</summary>
    internal void CheckDepth(LayerId layer, int parents)
    {
        if (parents + 1 > Machine.BranchLimit) throw _unions.TooDeep(layer, parents + 1);
    }

    /// <inheritdoc cref="ILayerDriver.Describe"/>
    internal IReadOnlyList<MountStep> Describe(MountRequest request)
    {
        var layer = AufsDirectory.Of(request.Layer);
        var words = Words(request);
        var mode = words.ReadOnly ? "ro" : "rw";
        if (request.Parents.Count == 0) return [new MountStep("bind", layer.Diff, ["rbind", mode, .. words.Attributes.ToOptions()])];
        if (_unions.Home.AsSpan().ContainsAny(BranchStack.Separators))
        {
            throw DriverErrors.Refuse(StorageErrorCode.Unsupported, "describe",
                $"aufs takes no path with a comma, colon, equals sign or backslash from another process, and the store lies at {_root}; let the store mount the layer.", layer.Path);
        }

        CheckDepth(layer.Id, request.Parents.Count);
        return [.. BranchPlan.Make(Stack(request, words, _unions.Home), Environment.SystemPageSize).Select(call => new MountStep(
            "aufs", "none", [.. call.Flags.HasFlag(MountFlags.Remount) ? (string[])["remount"] : [], call.Data, mode, .. words.Attributes.ToOptions()]))];
    }

    /// <summary>The layer with all below it; gone when the descriptor is closed.</summary>
    internal SafeFileHandle View(LayerLocation location, IReadOnlyList<LayerLocation> parents, bool follows, IdMap ids)
    {
        if (parents.Count == 0) return Libc.OpenDirectory(AufsDirectory.Of(location).Diff);
        var request = new MountRequest(location, parents, MountMode.ReadOnly, []);
        var stack = Stack(request, MountWords.None with { ReadOnly = true }, root: "");
        return ViewPoint.Open(_root, point => _unions.Mount(stack, point), _unions.Detach);
    }

    /// <summary>
    /// Unmounts what is mounted in directories of the home that are no layers. Looks at the directories that lie in it, and into no mount. A line for each
    /// thing done, or that could not be done.
    /// </summary>
    internal IReadOnlyList<string> Recover(IReadOnlyCollection<LayerId> layers)
    {
        var lines = new List<string>();
        var known = layers.Select(static layer => layer.Value).ToHashSet(StringComparer.Ordinal);
        foreach (var path in Directory.EnumerateDirectories(_unions.Home).Where(path => !known.Contains(Path.GetFileName(path))))
        {
            try
            {
                if (_kernel.Find(path + "/mnt") is not { Type: FsMagic.Aufs }) continue;
                _unions.Unmount(path + "/mnt", force: false);
                lines.Add($"unmounted {path}/mnt, which belongs to no layer");
            }
            catch (Exception e) when (e is LinuxException or DriverException)
            {
                lines.Add($"{path}/mnt belongs to no layer and cannot be unmounted: {e.Message}");
            }
        }

        return lines;
    }

    public void Dispose() => _unions.Dispose();

    private void Bind(AufsDirectory layer, MountWords words)
    {
        if (words.Context is not null) throw DriverErrors.Refuse(StorageErrorCode.Unsupported, "mount", $"Layer {layer.Id} has no parents, so it is not mounted and cannot have a label.", layer.Path);
        _unions.Mount(layer.Diff, layer.Mnt, MountFlags.Bind);
        try
        {
            var flags = words.Attributes.ToFlags() | (words.ReadOnly ? MountFlags.ReadOnly : MountFlags.None);
            _unions.Mount("none", layer.Mnt, MountFlags.Remount | MountFlags.Bind | flags);
        }
        catch (LinuxException)
        {
            _unions.Unmount(layer.Mnt, force: false);
            throw;
        }
    }

    private BranchStack Stack(MountRequest request, MountWords words, string root) => new(
        root, request.Layer.Id, [.. request.Parents.Select(static parent => parent.Id)], !words.ReadOnly,
        words.Attributes.ToFlags() | (words.ReadOnly ? MountFlags.ReadOnly : MountFlags.None), words.Context ?? "", Dirperm1, _unions.Xino);

    /// <summary>Whether a layer without parents is asked for in a way that its directory alone cannot give.</summary>
    private bool NeedsMount(MountRequest request)
    {
        var words = MountWords.Parse(_defaults.Concat(request.Options));
        return words.ReadOnly || words.Context is not null || words.Attributes != MountAttributes.None;
    }

    /// <remarks>aufs always syncs: volatile only promises less.</remarks>
    private MountWords Words(MountRequest request)
    {
        var words = MountWords.Parse(_defaults.Concat(request.Options)) with { Volatile = false };
        words.CheckContext();
        return request.Mode == MountMode.ReadOnly ? words with { ReadOnly = true } : words;
    }

    private MountPoint.State? Find(AufsDirectory layer)
    {
        if (_kernel.Find(layer.Mnt) is not { } there) return null;
        return there.Type == FsMagic.Aufs || there.Type == Machine.FileSystem ? there : throw DriverErrors.Refuse(
            StorageErrorCode.InUse, "mount",
            $"{StoreFileSystem.NameOf(there.Type)}, not aufs, is mounted at {layer.Mnt}; it is not the store's. Unmount it.", layer.Mnt);
    }

    private static MountMode ModeOf(MountPoint.State there) => there.IsReadOnly ? MountMode.ReadOnly : MountMode.ReadWrite;
}
