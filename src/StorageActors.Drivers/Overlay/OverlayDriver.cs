using System.Text;
using Microsoft.Win32.SafeHandles;
using StorageActors.Archive.Apply;
using StorageActors.Drivers.Differential;
using StorageActors.Drivers.Probing;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Drivers.Overlay;

/// <summary>
/// Keeps each layer's own changes in a directory and lets the kernel's overlayfs show them as one tree. Directories, short links and <c>lower</c> files
/// are those of containers/storage and of moby's overlay2.
/// <para>
/// Every layer is mounted, also one without parents, so that options and labels apply alike. The driver's home is not made a private
/// mount: that would outlive the engine; copies of a mount in other mount namespaces vanish with the mount point, which an unmount replaces
/// unless it left none.
/// </para>
/// </summary>
internal sealed partial class OverlayDriver : ILayerDriver
{
    internal const string DriverName = "overlay";
    private const uint Private = 0x1C0;     // 0700

    /// <summary>What the driver makes in a layer's directory, besides <c>link</c>, which a layer keeps.</summary>
    private static readonly string[] Own = ["diff", "work", "merged", "empty", "lower", "lower-layers", "detached", "ids", "tar-split.json.gz"];

    private readonly string _home;
    private readonly OverlayLinks _links;
    private readonly OverlayMounts _mounts;
    private readonly DriverOptions _options;
    private readonly Func<IReadOnlyList<StoreFact>> _facts;

    /// <summary>Opens the store's overlay home, making it if it is missing, and finds out how to mount. Leaves mounts alone.</summary>
    /// <param name="root">The store's root: an existing directory, absolute.</param>
    /// <param name="options">Settings.</param>
    /// <param name="chosen">Why this driver, for <see cref="Facts"/>.</param>
    internal OverlayDriver(string root, DriverOptions options, string chosen = "asked for")
    {
        (_home, _options) = (root + "/" + DriverName, options);
        (_links, _mounts) = DriverErrors.Guard("open", root, () =>
        {
            StoreFileSystem.CheckUpper(root);
            var links = new OverlayLinks(_home);
            StoreFileSystem.SpreadDirectories(_home);
            var mounts = new OverlayMounts(root, _home, links, options);
            StoreFileSystem.SpreadDirectories(root + "/staging");
            return (links, mounts);
        });
        _content = new LayerContent(new OverlayWhiteouts(_mounts.Abilities.NestedXattrs, _mounts.Abilities.UserXattrs), _mounts.View, options);
        _facts = () => OverlayFacts.Of(root, _mounts.Abilities, _mounts.Features, IdMapProbe.Tell(() => NoIdMaps), options, chosen);
    }

    /// <inheritdoc/>
    public string Name => DriverName;

    /// <inheritdoc/>
    public DriverCapabilities Capabilities =>
        DriverCapabilities.Rebase | DriverCapabilities.NativeDiff | DriverCapabilities.KernelMount | DriverCapabilities.ReadOnlyMounts
        | DriverCapabilities.Opaque | DriverCapabilities.BaseMounts | DriverCapabilities.VolatileMounts | DriverCapabilities.AdditionalStores
        | (_mounts.Abilities.UserXattrs ? DriverCapabilities.UserXattrs : DriverCapabilities.None);

    /// <inheritdoc/>
    public IReadOnlyList<StoreFact> Facts => _facts();

    /// <inheritdoc/>
    public string? NoIdMaps => _mounts.NoIdMaps;

    /// <inheritdoc/>
    public void Begin(StagedLayer staged) => DriverErrors.Guard("begin", staged.Path, () =>
    {
        var layer = LayerDirectory.Of(staged);
        CheckDepth(staged);
        var (user, group) = CheckIds(staged);
        using var directory = Libc.OpenDirectory(layer.Path);
        foreach (var name in Own) DirectoryTree.Remove(directory, Encoding.ASCII.GetBytes(name));
        LayerRoot.Make(directory, staged, _options).Dispose();
        MakeDirectory(directory, "work"u8, Private);
        MakeDirectory(directory, "merged"u8, Private);
        if (!staged.Ids.IsHost()) Libc.FChownAt(directory, "work"u8, user, group);
        _links.Assign(layer);
    });

    /// <inheritdoc/>
    public void Finish(StagedLayer staged) => DriverErrors.Guard("finish", staged.Path, () =>
    {
        var layer = LayerDirectory.Of(staged);
        var parents = CheckDepth(staged) ?? throw new InvalidOperationException($"the parents of {staged.Id} are not known yet");
        if (staged.DriverState is null) _content.InheritRoot(staged, parents);
        LowerFile.Write(layer, LinksOf(parents), parents.Select(parent => parent.Id).ToList());
        if (parents.Count == 0)
        {
            using var directory = Libc.OpenDirectory(layer.Path);
            MakeDirectory(directory, "empty"u8, Private);
        }

        _links.Publish(layer);
    });

    /// <inheritdoc/>
    public void Retire(LayerLocation layer) => DriverErrors.Guard("remove", layer.Path, () =>
    {
        _mounts.Retire(layer);
        _links.Remove(LayerDirectory.Of(layer));
    });

    /// <inheritdoc/>
    public ActiveMount Mount(MountRequest request) => DriverErrors.Guard("mount", request.Layer.Path, () => _mounts.Mount(request));

    /// <inheritdoc/>
    public void Unmount(LayerLocation layer, bool force) => DriverErrors.Guard("umount", layer.Path, () => _mounts.Unmount(layer, force));

    /// <inheritdoc/>
    public ActiveMount? FindMount(LayerLocation layer) => DriverErrors.Guard("mount", layer.Path, () => _mounts.FindMount(layer));

    /// <inheritdoc/>
    public void TryMount(LayerLocation layer, IReadOnlyList<LayerLocation> parents) => DriverErrors.Guard("mount", layer.Path, () => _mounts.View(layer, parents, follows: false, layer.Ids).Dispose());

    /// <inheritdoc/>
    public IReadOnlyList<MountStep> Describe(MountRequest request) =>
        DriverErrors.Guard("describe", request.Layer.Path, () => _mounts.Describe(request));

    /// <inheritdoc/>
    public IReadOnlyList<string> Recover(IReadOnlyCollection<LayerId> layers) =>
        DriverErrors.Guard("recover", _home, () => _links.Recover(layers));

    /// <inheritdoc/>
    public IReadOnlyList<string> RecoverStopped(IReadOnlyCollection<LayerId> layers) =>
        DriverErrors.Guard("recover", _home, () => _links.RecoverStopped(layers));

    /// <inheritdoc/>
    public string NamesHome => _home + "/l";

    /// <inheritdoc/>
    public IReadOnlyList<LayerId> MayBeMounted(IReadOnlyList<LayerId> layers) =>
        DriverErrors.Guard("find mounts", _home, () => MountCandidates.Find(_home, layers));

    /// <inheritdoc cref="OverlayMounts.NotesPlain"/>
    internal bool NotesPlain => _mounts.NotesPlain;

    /// <inheritdoc cref="OverlayMounts.IsKnownPlain"/>
    internal bool IsKnownPlain(LayerLocation layer) => _mounts.IsKnownPlain(layer);

    /// <inheritdoc/>
    public void Dispose() => _mounts.Dispose();

    /// <summary>Refuses a stack that could never be mounted: a sealed layer is a lower itself, a writable one the upper of one more.</summary>
    private static IReadOnlyList<LayerLocation>? CheckDepth(StagedLayer staged)
    {
        if (staged.Parents is not { } parents) return null;
        var lowers = parents.Count + (staged.Writable ? 0 : 1);
        return lowers <= OverlayStack.MaximumLowers ? parents : throw OverlayStack.TooDeep(LayerDirectory.Of(staged), lowers);
    }

    /// <summary>
    /// The host's owner of the container's root. Refuses a map without one, as nobody in the container could use the tree; and one with which the layers below, or this one
    /// to the host, could never be shown.
    /// </summary>
    private (uint User, uint Group) CheckIds(StagedLayer staged)
    {
        DriverErrors.CheckIds(this, staged.Ids, "begin");
        foreach (var stored in (staged.Parents ?? []).Select(static parent => parent.Ids).Append(IdMap.Host).Distinct()) IdShift.Between(stored, staged.Ids);
        if (staged.Ids.UserToHost(0) is { } user && staged.Ids.GroupToHost(0) is { } group) return (user, group);
        throw DriverErrors.Refuse(StorageErrorCode.InvalidArgument, "begin", $"The map of the container's ids has no root, 0 ({staged.Ids}); give it one.");
    }

    private IReadOnlyList<string> LinksOf(IReadOnlyList<LayerLocation> parents)
    {
        if (parents.Count == 0) return [];
        var nearest = LayerDirectory.Of(parents[0]);
        var above = "l/" + _links.Assign(nearest);
        var rest = LowerFile.ReadLinks(nearest);
        if (rest.Count != parents.Count - 1) rest = parents.Skip(1).Select(parent => "l/" + _links.Assign(LayerDirectory.Of(parent))).ToList();
        return [above, .. rest];
    }

    private static void MakeDirectory(SafeFileHandle parent, ReadOnlySpan<byte> name, uint mode)
    {
        var errno = Libc.TryMkdirAt(parent, name, mode);
        if (errno is not (Errno.None or Errno.EEXIST)) throw Libc.Failure("mkdirat", parent, name, errno);
        Libc.FChmodAt(parent, name, mode);   // whatever the umask is
    }
}
