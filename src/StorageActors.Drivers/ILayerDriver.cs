using StorageActors.Archive.Apply;
using StorageActors.Protocol;

namespace StorageActors.Drivers;

/// <summary>
/// Keeps layers as directories and shows stacks of them as one tree.
/// <para>
/// Terms. A <b>layer directory</b> (<c>&lt;driver&gt;/&lt;id&gt;</c>) belongs to one layer and is made complete in staging, then renamed into the
/// driver's home by the engine (never by the driver), and renamed out again to be removed. A <b>parent</b> is a layer below; lists of parents are
/// nearest first. A layer is <b>writable</b> or <b>sealed</b>.
/// </para>
/// <para>
/// Life of a layer: <see cref="Begin"/> → [<see cref="Extract"/> → <see cref="Rebase"/>] → <see cref="Finish"/> → renamed →
/// <see cref="Mount"/> / <see cref="Unmount"/>, … → [<see cref="Seal"/>] → <see cref="Retire"/> → renamed to the trash.
/// </para>
/// <para>
/// Every method blocks and runs on a thread of the engine's dispatchers. Calls for different layers come at the same time, and so do calls for one
/// layer that change nothing; those that change it come one after the other. A failed call throws <see cref="TransientDriverException"/>,
/// <see cref="PermanentDriverException"/> or <see cref="StoreCorruptException"/>, has left nothing outside the layer's own directory, and may be
/// repeated: a retry starts from whatever the failed attempt left.
/// </para>
/// </summary>
internal interface ILayerDriver : IDisposable
{
    /// <summary>The driver's name, also of its home directory under the store's root: <c>overlay</c>.</summary>
    string Name { get; }

    /// <summary>What it can do on this kernel and file system.</summary>
    DriverCapabilities Capabilities { get; }

    /// <summary>
    /// Why layers cannot be shown with other ids than they have on disk, in a few words; null when they can. Tried when it is first asked for: most stores never need it.
    /// </summary>
    string? NoIdMaps => $"the driver {Name} shows files with the owners that they have on disk";

    /// <summary>What it probed and what came of it, for <c>info</c>.</summary>
    IReadOnlyList<StoreFact> Facts { get; }

    /// <summary>
    /// Makes the driver's own files and directories in the staged layer's directory. With parents known, a copying driver brings their content
    /// here. A repeat on a half-made directory starts over.
    /// </summary>
    void Begin(StagedLayer staged);

    /// <summary>
    /// Fills the staged layer from a tar, compressed or not, by the rules of the OCI image specification; records how to write the same bytes again
    /// (<c>tar-split.json.gz</c> in the layer's directory). The stream is read to its end and not disposed.
    /// Not repeatable: the stream is consumed.
    /// </summary>
    ExtractResult Extract(StagedLayer staged, Stream blob, ExtractOptions options, IExtractionObserver? observer, CancellationToken stop);

    /// <summary>
    /// Settles, with <see cref="StagedLayer.Parents"/> known now, what <see cref="Extract"/> had to leave open: whiteouts of names that are not
    /// below, attributes of implied directories and of the root, hard links to files of layers below. Nothing to do when the parents were known
    /// from the start. Returns further warnings.
    /// </summary>
    IReadOnlyList<string> Rebase(StagedLayer staged);

    /// <summary>Completes the directory: what names its parents (<c>link</c>, <c>lower</c>), attributes of the root of an empty layer.</summary>
    void Finish(StagedLayer staged);

    /// <summary>Removes what lies outside the layer's directory (the short link) and any mount left on it; called before it is renamed away.</summary>
    void Retire(LayerLocation layer);

    /// <summary>
    /// Mounts a stack. The path is inside the layer's directory. A mount that is there already (of an engine that died) is taken over if it is what is
    /// asked for. A read-write mount is checked to be one.
    /// </summary>
    ActiveMount Mount(MountRequest request);

    /// <summary>Unmounts; not mounted is success. EBUSY is transient, unless <paramref name="force"/> detaches lazily.</summary>
    void Unmount(LayerLocation layer, bool force);

    /// <summary>The mount as the kernel has it now; null if there is none.</summary>
    ActiveMount? FindMount(LayerLocation layer);

    /// <summary>Shows a layer with all below it, read-only, where nobody sees it, and takes it away at once; what keeps it from being mounted is thrown.</summary>
    void TryMount(LayerLocation layer, IReadOnlyList<LayerLocation> parents);

    /// <summary>The mounts that somebody else would have to make to see the same.</summary>
    IReadOnlyList<MountStep> Describe(MountRequest request);

    /// <summary>
    /// Computes a writable layer's tar and keeps its structure (<c>tar-split.json.gz</c>) in the layer's directory, so that it comes back byte for byte.
    /// The content is read, not copied. The layer is not mounted read-write. An observer is told the bytes of the tar that are done.
    /// </summary>
    WrittenTar Seal(LayerLocation layer, IReadOnlyList<LayerLocation> parents, IExtractionObserver? observer, CancellationToken stop);

    /// <summary>Writes the uncompressed tar of a difference. An exact one is verified: a file that does not have its recorded content is an error.</summary>
    WrittenTar WriteDiff(DiffRequest request, Stream target, CancellationToken stop);

    /// <summary>The differences, sorted by path bytes.</summary>
    IReadOnlyList<LayerChange> Changes(DiffRequest request);

    /// <summary>Measures the layer's own content.</summary>
    ContentUsage Measure(LayerLocation layer);

    /// <summary>
    /// Compares a sealed layer's content with its recorded tar: every entry's type, owner, mode, size, link target, xattrs and, when
    /// <paramref name="full"/>, content. One line for each difference.
    /// </summary>
    IReadOnlyList<string> Verify(LayerLocation layer, IReadOnlyList<LayerLocation> parents, bool full, CancellationToken stop);

    /// <summary>
    /// At start, before serving: removes what a crash left outside layer directories (short links to nothing). <paramref name="layers"/> are those that
    /// exist. Returns a line for each thing done.
    /// </summary>
    IReadOnlyList<string> Recover(IReadOnlyCollection<LayerId> layers);

    /// <summary>
    /// The same after an engine that came to its end, so that there should be nothing to do: <paramref name="layers"/>, which are all that exist, are gone through one by one only
    /// when a look at names says that there is.
    /// </summary>
    IReadOnlyList<string> RecoverStopped(IReadOnlyCollection<LayerId> layers) => Recover(layers);

    /// <summary>
    /// The directory in which it keeps one name for each layer, if it has such: with as many names there as layers <see cref="RecoverStopped"/> finds nothing to do, so that who knows how many there
    /// are need not ask.
    /// </summary>
    string? NamesHome => null;

    /// <summary>
    /// Leaves out layers of the store's own that are certainly not mounted, as far as that can be said by one call for each: <see cref="FindMount"/> says it of the others.
    /// </summary>
    IReadOnlyList<LayerId> MayBeMounted(IReadOnlyList<LayerId> layers) => layers;
}
