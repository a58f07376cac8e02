using System.Text;
using StorageActors.DriverOperations;
using StorageActors.Drivers;
using StorageActors.Linux;
using StorageActors.Protocol;
using StorageActors.Store;

namespace StorageActors.Recovery;

/// <summary>Lists stagings that nobody owns, without touching them.</summary>
internal sealed record ListStaleStagings : DriverOperation<IReadOnlyList<string>>
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    internal override string Verb => "list staging";

    internal override IReadOnlyList<string> Execute(DriverServices services, CancellationToken stop)
    {
        var stale = Look(services);
        if (stale.Count == 0) return stale;
        // One that is being made has no lock yet, and one that ends has none any more: only what stays is stale.
        stop.WaitHandle.WaitOne(Pause);
        return [.. Look(services).Intersect(stale, StringComparer.Ordinal)];
    }

    private static List<string> Look(DriverServices services)
    {
        var stale = new List<string>();
        foreach (var name in DirectoryNames.Of(services.Layout.StagingHome))
        {
            var path = Path.Combine(services.Layout.StagingHome, name);
            using var file = OpenLock(Path.Combine(path, StoreLayout.StagingLockName));
            if (file is null || Libc.FindLockHolder(file) is null) stale.Add(path); // Asking takes no lock, so nobody is disturbed.
        }

        return stale;
    }

    private static Microsoft.Win32.SafeHandles.SafeFileHandle? OpenLock(string path)
    {
        var errno = Libc.TryOpen(path, OpenFlags.ReadWrite | OpenFlags.NoFollow, 0, out var file);
        if (errno == Errno.None) return file;
        file.Dispose();
        return null;
    }
}

/// <summary>Renames a directory that has no place in the store to the trash.</summary>
internal sealed record DiscardOrphan(string Path) : DriverOperation<TrashedPath>
{
    internal override string Verb => "discard orphan";

    internal override TrashedPath Execute(DriverServices services, CancellationToken stop)
    {
        using var home = Libc.OpenDirectory(System.IO.Path.GetDirectoryName(Path)!);
        var name = System.IO.Path.GetFileName(Path);
        return new TrashedPath(TrashDirectory.TakeDurably(services.Layout, services.Lock, "discard orphan", home, Encoding.UTF8.GetBytes(name), "orphan"));
    }
}

/// <summary>Whether the record in a layer's or an image's directory is what the journal says.</summary>
internal static class RecordComparison
{
    internal static bool IsSame(LayerRecord journaled, LayerRecord written) => Bytes(journaled).AsSpan().SequenceEqual(Bytes(written));

    internal static bool IsSame(ImageRecord journaled, ImageRecord written) => Bytes(journaled).AsSpan().SequenceEqual(Bytes(written));

    private static byte[] Bytes(LayerRecord layer) => StoreJson.Write(new LayerFile.Content(StoreFormat.Current, layer with { Damage = null }));

    private static byte[] Bytes(ImageRecord image) => StoreJson.Write(new ImageFile.Content(StoreFormat.Current, image));
}
