using System.Text;
using Microsoft.Win32.SafeHandles;
using StorageActors.Archive.Apply;
using StorageActors.Drivers.Differential;
using StorageActors.Drivers.Probing;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Drivers.Aufs;

/// <summary>
/// Keeps each layer's own changes in a directory and lets the module aufs show them as one tree: moby's driver, with mounts that fill a page of options and
/// no lock but the one around the first call of a mount. Turns of one layer are the engine's to keep.
/// <para>
/// A layer without parents is not mounted: its directory is its tree. So a read-only view of it refuses no writes, unless it is asked for with the option
/// <c>ro</c>, which like every other option gives it a mount.
/// </para>
/// </summary>
internal sealed class AufsDriver : ILayerDriver
{
    internal const string DriverName = "aufs";
    private const uint Private = 0x1C0;     // 0700

    /// <summary>What the driver makes in a layer's directory.</summary>
    private static readonly string[] Own = ["diff", "mnt", "layers", "held", "tar-split.json.gz"];

    private readonly string _home;
    private readonly AufsMounts _mounts;
    private readonly DriverOptions _options;
    private readonly LayerContent _content;

    /// <summary>Opens the store's aufs home, making it if it is missing. Leaves mounts alone.</summary>
    /// <param name="root">The store's root: an existing directory, absolute.</param>
    /// <param name="options">Settings.</param>
    /// <param name="chosen">Why this driver, for <see cref="Facts"/>.</param>
    /// <param name="kernel">The machine; null for the one that this runs on.</param>
    internal AufsDriver(string root, DriverOptions options, string chosen = "asked for", IAufsKernel? kernel = null)
    {
        (_home, _options) = (root + "/" + DriverName, options);
        _mounts = DriverErrors.Guard("open", root, () =>
        {
            kernel ??= AufsKernel.Instance;
            var machine = kernel.Examine(root);
            machine.Check(root);
            var errno = Libc.TryMkdirAt(Libc.CurrentDirectory, Encoding.UTF8.GetBytes(_home), Private);
            if (errno is not (Errno.None or Errno.EEXIST)) throw new LinuxException("mkdir", _home, errno);
            StoreFileSystem.SpreadDirectories(_home);
            return new AufsMounts(root, _home, options, kernel, machine);
        });
        _content = new LayerContent(AufsWhiteouts.Instance, _mounts.View, options);
        Facts = FactsOf(root, options, chosen);
    }

    /// <inheritdoc/>
    public string Name => DriverName;

    /// <inheritdoc/>
    public DriverCapabilities Capabilities =>
        DriverCapabilities.Rebase | DriverCapabilities.NativeDiff | DriverCapabilities.KernelMount | DriverCapabilities.ReadOnlyMounts | DriverCapabilities.Opaque;

    /// <inheritdoc/>
    public IReadOnlyList<StoreFact> Facts { get; }

    /// <inheritdoc/>
    public void Begin(StagedLayer staged) => DriverErrors.Guard("begin", staged.Path, () =>
    {
        DriverErrors.CheckIds(this, staged.Ids, "begin");
        var layer = AufsDirectory.Of(staged);
        if (staged.Parents is { } parents) Ancestors(staged.Id, parents); // Before anything is made.
        using var directory = Libc.OpenDirectory(layer.Path);
        foreach (var name in Own) DirectoryTree.Remove(directory, Encoding.ASCII.GetBytes(name));
        LayerRoot.Make(directory, staged, _options).Dispose();
        MakeDirectory(directory, "mnt"u8, Private);
    });

    /// <inheritdoc/>
    public ExtractResult Extract(StagedLayer staged, Stream blob, ExtractOptions options, IExtractionObserver? observer, CancellationToken stop) =>
        DriverErrors.Guard("extract", staged.Path, () => _content.Extract(staged, blob, options, observer, stop));

    /// <inheritdoc/>
    public IReadOnlyList<string> Rebase(StagedLayer staged) => DriverErrors.Guard("rebase", staged.Path, () =>
    {
        Ancestors(staged.Id, ParentsOf(staged));
        return _content.Rebase(staged, ParentsOf(staged));
    });

    /// <inheritdoc/>
    public void Finish(StagedLayer staged) => DriverErrors.Guard("finish", staged.Path, () =>
    {
        var parents = ParentsOf(staged);
        var ancestors = Ancestors(staged.Id, parents);
        if (staged.DriverState is null) _content.InheritRoot(staged, parents);
        AncestorsFile.Write(AufsDirectory.Of(staged), ancestors);
    });

    /// <inheritdoc/>
    public void Retire(LayerLocation layer) => DriverErrors.Guard("remove", layer.Path, () => _mounts.Unmount(layer, force: false));

    /// <inheritdoc/>
    public ActiveMount Mount(MountRequest request) => DriverErrors.Guard("mount", request.Layer.Path, () =>
    {
        DriverErrors.CheckIds(this, request.Ids, "mount");
        return _mounts.Mount(request);
    });

    /// <inheritdoc/>
    public void Unmount(LayerLocation layer, bool force) => DriverErrors.Guard("umount", layer.Path, () => _mounts.Unmount(layer, force));

    /// <inheritdoc/>
    public ActiveMount? FindMount(LayerLocation layer) => DriverErrors.Guard("mount", layer.Path, () => _mounts.FindMount(layer));

    /// <inheritdoc/>
    public void TryMount(LayerLocation layer, IReadOnlyList<LayerLocation> parents) => DriverErrors.Guard("mount", layer.Path, () => _mounts.View(layer, parents, follows: false, layer.Ids).Dispose());

    /// <inheritdoc/>
    public IReadOnlyList<MountStep> Describe(MountRequest request) =>
        DriverErrors.Guard("describe", request.Layer.Path, () =>
        {
            DriverErrors.CheckIds(this, request.Ids, "describe");
            return _mounts.Describe(request);
        });

    /// <inheritdoc/>
    public WrittenTar Seal(LayerLocation location, IReadOnlyList<LayerLocation> parents, IExtractionObserver? observer, CancellationToken stop) =>
        DriverErrors.Guard("seal", location.Path, () =>
        {
            _mounts.CheckDepth(location.Id, parents.Count);
            _mounts.CheckSealable(location);
            return _content.Seal(location, parents, observer, stop);
        });

    /// <inheritdoc/>
    public WrittenTar WriteDiff(DiffRequest request, Stream target, CancellationToken stop) =>
        DriverErrors.Guard("diff", request.Layer.Path, () => _content.WriteDiff(request, target, stop));

    /// <inheritdoc/>
    public IReadOnlyList<LayerChange> Changes(DiffRequest request) =>
        DriverErrors.Guard("changes", request.Layer.Path, () => _content.Changes(request));

    /// <inheritdoc/>
    public ContentUsage Measure(LayerLocation layer) => DriverErrors.Guard("measure", layer.Path, () => LayerContent.Measure(layer));

    /// <inheritdoc/>
    public IReadOnlyList<string> Verify(LayerLocation layer, IReadOnlyList<LayerLocation> parents, bool full, CancellationToken stop) =>
        DriverErrors.Guard("verify", layer.Path, () => _content.Verify(layer, parents, full, stop));

    /// <inheritdoc/>
    public IReadOnlyList<string> Recover(IReadOnlyCollection<LayerId> layers) => DriverErrors.Guard("recover", _home, () => _mounts.Recover(layers));

    /// <inheritdoc/>
    public void Dispose() => _mounts.Dispose();

    private static IReadOnlyList<LayerLocation> ParentsOf(StagedLayer staged) =>
        staged.Parents ?? throw new InvalidOperationException($"the parents of {staged.Id} are not known yet");

    /// <summary>The nearest parent's own file says what is below it; refuses a parent that is not there, and a stack that could never be mounted.</summary>
    private IReadOnlyList<LayerId> Ancestors(LayerId layer, IReadOnlyList<LayerLocation> parents)
    {
        _mounts.CheckDepth(layer, parents.Count);
        if (parents.Count == 0) return [];
        var ancestors = AncestorsFile.Below(parents[0]);
        // The store's records count, should the file have been lost or changed.
        return ancestors.Count == parents.Count ? ancestors : [.. parents.Select(static parent => parent.Id)];
    }

    private List<StoreFact> FactsOf(string root, DriverOptions options, string chosen) =>
    [
        new("driver", "name", $"{DriverName} ({chosen})"),
        new("driver", "mounts", $"a page of branches ({Environment.SystemPageSize} bytes) for each call"),
        new("driver", "mount options", string.Join(',', ["dio", "xino in memory", .. _mounts.Dirperm1 ? (string[])["dirperm1"] : [], .. options.MountOptions])),
        new("driver", "layers in a stack", $"{_mounts.Machine.BranchLimit}"),
        new("driver", "diff", "native"),
        new("driver", "whiteouts", ".wh. files, as in layers' archives"),
        LayerRoot.Fact(options),
        new("file system", "type", StoreFileSystem.NameOf(_mounts.Machine.FileSystem)),
    ];

    private static void MakeDirectory(SafeFileHandle parent, ReadOnlySpan<byte> name, uint mode)
    {
        var errno = Libc.TryMkdirAt(parent, name, mode);
        if (errno is not (Errno.None or Errno.EEXIST)) throw Libc.Failure("mkdirat", parent, name, errno);
        Libc.FChmodAt(parent, name, mode);   // whatever the umask is
    }
}
