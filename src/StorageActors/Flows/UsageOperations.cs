using System.Text.Json;
using Microsoft.Win32.SafeHandles;
using StorageActors.DriverOperations;
using StorageActors.Drivers;
using StorageActors.Linux;
using StorageActors.Store;

namespace StorageActors.Flows;

/// <summary>A layer to be measured.</summary>
/// <param name="Layer">Where it is.</param>
/// <param name="IsSealed">Whether its content stays as it is, so that the numbers may be kept.</param>
internal sealed record MeasuredLayer(LayerLocation Layer, bool IsSealed);

/// <summary>
/// What layers take, one after the other. Of a sealed layer the numbers are kept in its directory (<c>usage.json</c>) and never measured again; a layer that
/// is damaged, or goes meanwhile, takes nothing.
/// </summary>
internal sealed record MeasureLayers(IReadOnlyList<MeasuredLayer> Layers) : DriverOperation<IReadOnlyList<ContentUsage>>
{
    private static readonly ContentUsage Unknown = new(0, 0, 0);

    private static ReadOnlySpan<byte> FileName => "usage.json"u8;

    internal override string Verb => "measure";

    internal override OperationLane Lane => OperationLane.Content;

    internal override IReadOnlyList<ContentUsage> Execute(DriverServices services, CancellationToken stop)
    {
        var usages = new List<ContentUsage>(Layers.Count);
        foreach (var layer in Layers)
        {
            stop.ThrowIfCancellationRequested();
            usages.Add(Measure(services.Driver, layer));
        }

        return usages;
    }

    private static ContentUsage Measure(ILayerDriver driver, MeasuredLayer layer)
    {
        try
        {
            using var directory = Libc.OpenDirectory(layer.Layer.Path);
            if (layer.IsSealed && Read(directory) is { } kept) return kept;
            var usage = driver.Measure(layer.Layer);
            if (layer.IsSealed) Keep(directory, usage);
            return usage;
        }
        catch (Exception e) when (e is LinuxException or DriverException)
        {
            return Unknown;
        }
    }

    /// <summary>Not durable, and not for certain, since a full disk has no room for it: what is left of it is no number, and is measured again.</summary>
    internal static void Keep(SafeFileHandle directory, ContentUsage usage)
    {
        try
        {
            using var file = Libc.OpenAt(directory, FileName, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Truncate | OpenFlags.NoFollow, 0x180);
            Libc.WriteAll(file, StoreJson.Write(usage));
        }
        catch (LinuxException)
        {
            // The next who asks measures, too.
        }
    }

    private static ContentUsage? Read(SafeFileHandle directory)
    {
        try
        {
            return AtomicFile.Read(directory, FileName, 4096) is { } bytes ? StoreJson.Read<ContentUsage>(bytes) : null;
        }
        catch (Exception e) when (e is JsonException or LinuxException)
        {
            return null; // It is measured again.
        }
    }
}

/// <summary>What is free on the store's file system.</summary>
internal sealed record MeasureFileSystem : DriverOperation<FreeSpace>
{
    internal override string Verb => "statfs";

    internal override FreeSpace Execute(DriverServices services, CancellationToken stop)
    {
        var status = Libc.StatFs(services.Layout.Root);
        return new FreeSpace((long)status.AvailableBlocks * status.BlockSize, (long)status.FreeInodes);
    }
}

/// <summary>Free bytes for whoever is not root, and free inodes.</summary>
internal sealed record FreeSpace(long Bytes, long Inodes);
