using StorageActors.DriverOperations;
using StorageActors.Drivers;
using StorageActors.Linux;
using StorageActors.Protocol;
using StorageActors.Store;

namespace StorageActors.Recovery;

/// <summary>Which directories there are, by name alone: quick, however large the store is.</summary>
internal sealed record ListStore : DriverOperation<StoreListing>
{
    internal override string Verb => "list store";

    internal override StoreListing Execute(DriverServices services, CancellationToken stop) => List(services.Layout);

    /// <summary>The same for a store that this process need not own.</summary>
    internal static StoreListing List(StoreLayout layout)
    {
        var (layers, images, foreign) = (new List<LayerId>(), new List<ImageId>(), new List<string>());
        foreach (var name in DirectoryNames.Of(layout.DriverHome))
        {
            // The driver's own things there are shorter than any id (overlay's l), or hidden.
            if (name.Length < 2 || name[0] == '.') continue;
            if (StoreListing.LayerOf(name) is { } layer) layers.Add(layer);
            else foreign.Add(Path.Combine(layout.DriverHome, name));
        }

        foreach (var name in DirectoryNames.Of(layout.ImageHome).Where(static name => name[0] != '.'))
        {
            if (StoreListing.ImageOf(name) is { } image) images.Add(image);
            else foreign.Add(Path.Combine(layout.ImageHome, name));
        }

        return new StoreListing(layers, images, foreign);
    }
}

/// <summary>The directories of a store.</summary>
/// <param name="Layers">Those that may be layers.</param>
/// <param name="Images">Those that may be images.</param>
/// <param name="Foreign">What nothing of a store's is called.</param>
internal sealed record StoreListing(IReadOnlyList<LayerId> Layers, IReadOnlyList<ImageId> Images, IReadOnlyList<string> Foreign)
{
    /// <summary>The layer that a name in the driver's home may be of; null when nothing of a store's is called so.</summary>
    internal static LayerId? LayerOf(string name) => TryParse(name, LayerId.Parse);

    /// <summary>The image that a name in the images' home may be of; null when nothing of a store's is called so.</summary>
    internal static ImageId? ImageOf(string name) => TryParse(name, ImageId.Parse);

    private static T? TryParse<T>(string name, Func<string, T> parse)
        where T : struct
    {
        try
        {
            return parse(name);
        }
        catch (FormatException)
        {
            return null;
        }
    }
}

/// <summary>Reads records from directories, and which layers and images lie in the trash.</summary>
/// <param name="Layers">Layers in the driver's home.</param>
/// <param name="Images">Images.</param>
/// <param name="Trash">Whether to look into the trash.</param>
internal sealed record ReadRecords(IReadOnlyList<LayerId> Layers, IReadOnlyList<ImageId> Images, bool Trash) : DriverOperation<StoreRecords>
{
    internal override string Verb => "read records";

    internal override OperationLane Lane => OperationLane.Content;

    internal override StoreRecords Execute(DriverServices services, CancellationToken stop)
    {
        var layout = services.Layout;
        var layers = new List<FoundLayer>(Layers.Count);
        foreach (var id in Layers)
        {
            stop.ThrowIfCancellationRequested();
            if (Libc.TryStat(layout.LayerDirectory(id), out _) == Errno.None) layers.Add(Read(id, layout));
        }

        var images = new List<FoundImage>(Images.Count);
        foreach (var id in Images)
        {
            stop.ThrowIfCancellationRequested();
            if (Libc.TryStat(layout.ImageDirectory(id), out _) == Errno.None) images.Add(Read(layout, id));
        }

        var (trashedLayers, trashedImages) = Trash ? ReadTrash(layout) : ([], []);
        return new StoreRecords(layers, images, trashedLayers, trashedImages);
    }

    private static FoundLayer Read(LayerId id, StoreLayout layout)
    {
        try
        {
            return new FoundLayer(id, LayerFile.Read(layout.LayerDirectory(id), id), null);
        }
        catch (Exception e) when (e is DriverException or LinuxException)
        {
            return new FoundLayer(id, null, e.Message);
        }
    }

    private static FoundImage Read(StoreLayout layout, ImageId id)
    {
        try
        {
            return new FoundImage(id, ImageFile.Read(layout, id), null);
        }
        catch (Exception e) when (e is DriverException or LinuxException)
        {
            return new FoundImage(id, null, e.Message);
        }
    }

    /// <summary>What was renamed to the trash still says what it was, until it is deleted.</summary>
    private static (List<LayerId> Layers, List<ImageId> Images) ReadTrash(StoreLayout layout)
    {
        var (layers, images) = (new List<LayerId>(), new List<ImageId>());
        foreach (var path in DirectoryNames.Of(layout.TrashHome).Select(name => Path.Combine(layout.TrashHome, name)))
        {
            if (LayerFile.TryReadId(path) is { } layer) layers.Add(layer);
            else if (ImageFile.TryReadId(path) is { } image) images.Add(image);
        }

        return (layers, images);
    }
}

/// <summary>What directories say.</summary>
internal sealed record StoreRecords(
    IReadOnlyList<FoundLayer> Layers, IReadOnlyList<FoundImage> Images, IReadOnlyList<LayerId> TrashedLayers, IReadOnlyList<ImageId> TrashedImages);

/// <summary>A layer's directory, and its record or what is wrong with it.</summary>
internal sealed record FoundLayer(LayerId Id, LayerRecord? Record, string? Fault);

/// <summary>An image's directory, and its record or what is wrong with it.</summary>
internal sealed record FoundImage(ImageId Id, ImageRecord? Record, string? Fault);

/// <summary>Has the driver remove what a crash left outside of layers' directories.</summary>
/// <param name="Layers">The layers that exist.</param>
/// <param name="IsThorough">Whether there may have been a crash.</param>
internal sealed record RecoverDriver(IReadOnlyList<LayerId> Layers, bool IsThorough) : DriverOperation<IReadOnlyList<string>>
{
    internal override string Verb => "recover";

    internal override IReadOnlyList<string> Execute(DriverServices services, CancellationToken stop) =>
        IsThorough ? services.Driver.Recover(Layers) : IsInOrder(services) ? [] : services.Driver.RecoverStopped(Layers);

    /// <summary>Whether it is known that the driver has as many names as layers: more it would not look at either.</summary>
    private bool IsInOrder(DriverServices services) =>
        services.Driver.NamesHome is { } home && SeenNames.Read(services.Layout).Of(home) is { } names && names.Count == Layers.Count;
}

/// <summary>Which layers are mounted.</summary>
/// <param name="Layers">Those of which it is asked.</param>
/// <param name="IsSure">Whether each is asked about by itself, whatever time that takes, instead of those alone that may be mounted.</param>
internal sealed record FindMounted(IReadOnlyList<LayerId> Layers, bool IsSure = false) : DriverOperation<IReadOnlyList<LayerId>>
{
    internal override string Verb => "find mounts";

    internal override OperationLane Lane => OperationLane.Content;

    internal override IReadOnlyList<LayerId> Execute(DriverServices services, CancellationToken stop)
    {
        // Without mounts of its own a driver cannot say who held a layer: each is asked.
        if (!services.Driver.Capabilities.HasFlag(DriverCapabilities.KernelMount)) return Layers;
        return [.. (IsSure ? Layers : services.Driver.MayBeMounted(Layers)).Where(layer => IsMounted(services, layer))];
    }

    private static bool IsMounted(DriverServices services, LayerId layer)
    {
        try
        {
            return services.Driver.FindMount(services.Layout.Locate(layer)) is not null;
        }
        catch (DriverException)
        {
            return true; // The layer's actor will say what is wrong.
        }
    }
}
