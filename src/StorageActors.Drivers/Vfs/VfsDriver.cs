using System.Text;
using Microsoft.Win32.SafeHandles;
using StorageActors.Archive.Apply;
using StorageActors.Drivers.Copying;
using StorageActors.Drivers.Mounting;
using StorageActors.Drivers.Probing;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Drivers.Vfs;

/// <summary>
/// Keeps each layer as a whole tree: a copy of its parent's, in which its own entries were applied. Nothing is mounted, so it works on every file system and
/// without any right but to write there. Where the file system shares blocks (xfs, btrfs) a copy takes no space for content; elsewhere it takes all of it again.
/// <para>
/// A child can be begun only when its parent's tree is complete. So it states no <see cref="DriverCapabilities.Rebase"/>, and the layers of an image are made one
/// after the other.
/// </para>
/// </summary>
internal sealed partial class VfsDriver : ILayerDriver
{
    internal const string DriverName = "vfs";
    private const uint Private = 0x1C0;     // 0700

    /// <summary>What the driver makes in a layer's directory.</summary>
    private static readonly string[] Own = ["diff", "parent", ExtractTarget.RecordName];

    private readonly DriverOptions _options;
    private readonly string _home;
    private readonly bool _sharesBlocks;

    /// <summary>Opens the store's vfs home, making it if it is missing.</summary>
    /// <param name="root">The store's root: an existing directory, absolute.</param>
    /// <param name="options">Settings.</param>
    /// <param name="chosen">Why this driver, for <see cref="Facts"/>.</param>
    internal VfsDriver(string root, DriverOptions options, string chosen = "asked for")
    {
        _options = options;
        _home = root + "/" + DriverName;
        CheckWords(options.MountOptions, "open");
        _sharesBlocks = DriverErrors.Guard("open", root, () =>
        {
            using (var directory = Libc.OpenDirectory(root))
            {
                MakeDirectory(directory, Encoding.ASCII.GetBytes(DriverName), Private);
                MakeDirectory(directory, "staging"u8, Private);
            }

            StoreFileSystem.SpreadDirectories(_home);
            StoreFileSystem.SpreadDirectories(root + "/staging");
            return SharingProbe.Run(root + "/staging");
        });
        Facts = VfsFacts.Of(root, _sharesBlocks, options, chosen);
    }

    /// <inheritdoc/>
    public string Name => DriverName;

    /// <inheritdoc/>
    public DriverCapabilities Capabilities => DriverCapabilities.AdditionalStores;

    /// <inheritdoc/>
    public IReadOnlyList<StoreFact> Facts { get; }

    /// <inheritdoc/>
    public void Begin(StagedLayer staged) => DriverErrors.Guard("begin", staged.Path, () =>
    {
        DriverErrors.CheckIds(this, staged.Ids, "begin");
        var layer = VfsLayer.Of(staged);
        var parents = ParentsOf(staged);
        using var directory = Libc.OpenDirectory(layer.Path);
        foreach (var name in Own) DirectoryTree.Remove(directory, Encoding.ASCII.GetBytes(name));
        using var tree = LayerRoot.Make(directory, staged, _options);
        if (parents.Count == 0)
        {
            // The directory above may hand on its group or its ACL, which changes the mode as well.
            var mode = Libc.FStat(tree).Permissions;
            XattrWriter.DropInherited(tree, default);
            Libc.FChown(tree, Libc.GetEuid(), Libc.GetEgid());
            Libc.FChmod(tree, mode);
            return;
        }

        var parent = VfsLayer.Of(parents[0]);
        SmallFile.Write(layer.Parent, parent.Id.Value);
        using var source = Libc.OpenDirectory(parent.Tree);
        // Blocks are shared once they are on disk. For a parent that was made a moment ago, all at once is quicker than file by file.
        if (_sharesBlocks && !parent.Path.StartsWith(_home + "/", StringComparison.Ordinal)) Libc.SyncFs(source);
        staged.DriverState = TreeCopy.Copy(source, tree, staged.Stop, owners: _options.NewOwners());
    });

    /// <inheritdoc/>
    public IReadOnlyList<string> Rebase(StagedLayer staged)
    {
        ParentsOf(staged);
        return []; // All was settled when its entries were applied.
    }

    /// <inheritdoc/>
    public void Finish(StagedLayer staged) => ParentsOf(staged);

    /// <inheritdoc/>
    public void Retire(LayerLocation layer)
    {
        // A layer is its directory, and nothing else.
    }

    /// <inheritdoc/>
    /// <remarks>The layer's own directory: nothing enforces a read-only use but the holder.</remarks>
    public ActiveMount Mount(MountRequest request) => DriverErrors.Guard("mount", request.Layer.Path, () =>
    {
        DriverErrors.CheckIds(this, request.Ids, "mount");
        var words = CheckWords(request.Options, "mount");
        var tree = VfsLayer.Of(request.Layer).Tree;
        Libc.Stat(tree);
        return new ActiveMount(tree, words.ReadOnly ? MountMode.ReadOnly : request.Mode);
    });

    /// <inheritdoc/>
    public void Unmount(LayerLocation layer, bool force)
    {
        // Nothing is mounted.
    }

    /// <inheritdoc/>
    public ActiveMount? FindMount(LayerLocation layer) => DriverErrors.Guard("mount", layer.Path, () =>
    {
        var tree = VfsLayer.Of(layer).Tree;
        if (Libc.TryStat(tree, out _) != Errno.None) return null;
        var isSealed = Libc.TryStat(layer.Path + "/" + ExtractTarget.RecordName, out _) == Errno.None;
        return new ActiveMount(tree, isSealed ? MountMode.ReadOnly : MountMode.ReadWrite);
    });

    /// <inheritdoc/>
    public void TryMount(LayerLocation layer, IReadOnlyList<LayerLocation> parents) => DriverErrors.Guard("mount", layer.Path, () => Libc.OpenDirectory(VfsLayer.Of(layer).Tree).Dispose());

    /// <inheritdoc/>
    public IReadOnlyList<MountStep> Describe(MountRequest request) => DriverErrors.Guard("describe", request.Layer.Path, IReadOnlyList<MountStep> () =>
    {
        DriverErrors.CheckIds(this, request.Ids, "describe");
        var words = MountWords.Parse(request.Options);
        var isReadOnly = words.ReadOnly || request.Mode == MountMode.ReadOnly;
        return [new MountStep("bind", VfsLayer.Of(request.Layer).Tree, ["bind", isReadOnly ? "ro" : "rw", .. words.Attributes.ToOptions()])];
    });

    /// <inheritdoc/>
    public IReadOnlyList<string> Recover(IReadOnlyCollection<LayerId> layers) => [];

    /// <inheritdoc/>
    public void Dispose()
    {
        // Nothing is held between calls.
    }

    private static IReadOnlyList<LayerLocation> ParentsOf(StagedLayer staged) =>
        staged.Parents ?? throw new InvalidOperationException($"the driver vfs copies the parent of {staged.Id} first, and it is not known yet");

    /// <summary>A word that asks for more than a directory can give is refused: dropping it would be a lie.</summary>
    private static MountWords CheckWords(IReadOnlyList<string> options, string operation)
    {
        var words = MountWords.Parse(options);
        if (words with { ReadOnly = false } == MountWords.None) return words;
        throw DriverErrors.Refuse(
            StorageErrorCode.InvalidArgument, operation,
            $"The driver vfs mounts nothing: a layer is its directory, so \"{string.Join(",", options)}\" cannot be had. It takes \"ro\" alone; for other options use the driver overlay.");
    }

    private static void MakeDirectory(SafeFileHandle parent, ReadOnlySpan<byte> name, uint mode)
    {
        var errno = Libc.TryMkdirAt(parent, name, mode);
        if (errno == Errno.EEXIST) return;
        if (errno != Errno.None) throw Libc.Failure("mkdirat", parent, name, errno);
        Libc.FChmodAt(parent, name, mode);   // whatever the umask is
    }
}
