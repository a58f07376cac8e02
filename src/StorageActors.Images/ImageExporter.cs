using StorageActors.Client;
using StorageActors.Images.Writing;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Images;

/// <summary>What came of an export.</summary>
/// <param name="Manifest">The digest of the manifest as written.</param>
/// <param name="SameDigests">Whether that is the image's own: false when a compressed blob was not kept and had to be compressed anew.</param>
public sealed record ExportResult(Digest Manifest, bool SameDigests);

/// <summary>
/// Writes images of a store to where other tools read them. An archive appears when it is complete; a layout directory gains the image in one rename, and
/// another export that goes into it at the same time loses nothing. The disk has what was written before the export is done.
/// </summary>
public static class ImageExporter
{
    /// <summary>Exports one image.</summary>
    /// <param name="store">The store; it must be able to write the same paths as this process.</param>
    /// <param name="image">The image.</param>
    /// <param name="destination">Where it goes. Its tag names the image there; else the tag of the image's first name, else <c>latest</c>.</param>
    /// <param name="stop">Cancels; nothing incomplete is left.</param>
    /// <param name="progress">Is told how each layer goes.</param>
    /// <exception cref="StorageException">The destination is there and is something else; or the store refused.</exception>
    public static Task<ExportResult> ExportAsync(
        StorageClient store, ImageRecord image, ImageLocation destination, CancellationToken stop = default, IProgress<ImportProgress>? progress = null) =>
        HostFiles.GuardAsync("export", destination.Path, () => WriteAsync(store, image, destination, progress, stop));

    private static async Task<ExportResult> WriteAsync(
        StorageClient store, ImageRecord image, ImageLocation destination, IProgress<ImportProgress>? progress, CancellationToken stop)
    {
        var stored = await StoredImage.LoadAsync(store, image, stop).ConfigureAwait(false);
        var steps = new ExportSteps(store, stored, progress, stop);
        var manifest = destination.Format switch
        {
            ImageFormat.OciLayout => await ToLayoutAsync(steps, destination).ConfigureAwait(false),
            ImageFormat.OciArchive => await ToArchiveAsync(destination, (directory, archive) =>
                PackLayoutAsync(steps, destination, directory, archive), stop).ConfigureAwait(false),
            _ => await ToArchiveAsync(destination, (directory, archive) =>
                PackDockerAsync(steps, destination, directory, archive), stop).ConfigureAwait(false),
        };
        return new ExportResult(manifest, manifest == Digest.Of(stored.Manifest));
    }

    private static async Task<Digest> ToLayoutAsync(ExportSteps steps, ImageLocation destination)
    {
        var fresh = !Directory.Exists(destination.Path);
        if (File.Exists(destination.Path) || (!fresh && !IsLayoutOrEmpty(destination.Path)))
            throw Exists(destination.Path, "is there and is no image layout; give another path");
        try
        {
            return await new LayoutDirectory(steps, destination.Path).WriteAsync(Tag(steps.Image, destination)).ConfigureAwait(false);
        }
        catch when (fresh)
        {
            LayoutDirectory.Discard(destination.Path);
            throw;
        }
    }

    /// <summary>Also one that another export has just begun: it makes a place for blobs, then says that it is a layout, and then all else.</summary>
    private static bool IsLayoutOrEmpty(string path) =>
        Directory.EnumerateFileSystemEntries(path).Select(Path.GetFileName).All(static name =>
            name == "blobs" || name!.StartsWith("oci-layout.new-", StringComparison.Ordinal)) || File.Exists(Path.Combine(path, "oci-layout"));

    /// <summary>Runs <paramref name="pack"/> with a scratch directory beside the destination, and renames the archive when it is complete.</summary>
    private static async Task<Digest> ToArchiveAsync(ImageLocation destination, Func<string, ArchiveWriter, Task<Digest>> pack, CancellationToken stop)
    {
        if (Libc.TryStat(destination.Path, out var there, AtFlags.None) == Errno.None && !there.IsRegular)
            throw Exists(destination.Path, $"is a {there.Type}; an archive is a file");
        var parent = Path.GetDirectoryName(destination.Path) ?? "/";
        if (!Directory.Exists(parent))
            throw new StorageException(new StorageError(StorageErrorCode.NotFound, "export", $"{parent}: no such directory; make it first", parent, "ENOENT"));
        var scratch = Path.Combine(parent, $".{Path.GetFileName(destination.Path)}.{TicketId.New().Value}");
        Directory.CreateDirectory(scratch);
        try
        {
            var temporary = Path.Combine(scratch, "archive");
            Digest manifest;
            var output = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 20);
            await using (output.ConfigureAwait(false))
            {
                var archive = new ArchiveWriter(output);
                await using (archive.ConfigureAwait(false)) manifest = await pack(scratch, archive).ConfigureAwait(false);
                await output.FlushAsync(stop).ConfigureAwait(false);
                RandomAccess.FlushToDisk(output.SafeFileHandle);
            }

            stop.ThrowIfCancellationRequested();
            var isNew = !File.Exists(destination.Path);
            File.Move(temporary, destination.Path, overwrite: true);
            try
            {
                HostFiles.Sync(parent);
            }
            catch when (isNew)
            {
                File.Delete(destination.Path);
                throw;
            }

            return manifest;
        }
        finally
        {
            HostFiles.DeleteDirectory(scratch);
        }
    }

    private static async Task<Digest> PackLayoutAsync(ExportSteps steps, ImageLocation destination, string directory, ArchiveWriter archive)
    {
        var stop = steps.Stop;
        var layout = Path.Combine(directory, "layout");
        var manifest = await new LayoutDirectory(steps, layout, isScratch: true).WriteAsync(Tag(steps.Image, destination)).ConfigureAwait(false);
        await archive.AddFileAsync("oci-layout", Path.Combine(layout, "oci-layout"), stop).ConfigureAwait(false);
        await archive.AddFileAsync("index.json", Path.Combine(layout, "index.json"), stop).ConfigureAwait(false);
        foreach (var blob in Directory.EnumerateFiles(Path.Combine(layout, "blobs", "sha256")).Order(StringComparer.Ordinal))
            await archive.AddFileAsync("blobs/sha256/" + Path.GetFileName(blob), blob, stop).ConfigureAwait(false);
        return manifest;
    }

    private static async Task<Digest> PackDockerAsync(ExportSteps steps, ImageLocation destination, string directory, ArchiveWriter archive)
    {
        var (image, stop) = (steps.Image, steps.Stop);
        var names = new List<string>();
        var written = new HashSet<string>(StringComparer.Ordinal);
        foreach (var layer in image.Layers)
        {
            var name = layer.Record.DiffId!.Value.Hex + ".tar";
            names.Add(name);
            if (!written.Add(name)) continue;
            var path = Path.Combine(directory, name);
            await steps.WriteTarAsync(layer, path, LayerCompression.None).ConfigureAwait(false);
            await archive.AddFileAsync(name, path, stop).ConfigureAwait(false);
            File.Delete(path);
        }

        var config = image.ConfigDigest.Hex + ".json";
        var tags = destination.Tag is { } tag ? new[] { tag } : image.Record.Names.Where(static name => name.Contains(':', StringComparison.Ordinal)).ToArray();
        await archive.AddBytesAsync(config, image.Config, stop).ConfigureAwait(false);
        await archive.AddBytesAsync("manifest.json", ManifestWriter.DockerManifest(config, tags, names), stop).ConfigureAwait(false);
        return Digest.Of(image.Manifest);
    }

    private static string Tag(StoredImage image, ImageLocation destination)
    {
        if (destination.Tag is { } given) return given;
        var name = image.Record.Names.Count > 0 ? image.Record.Names[0] : "";
        var colon = name.LastIndexOf(':');
        return colon > name.LastIndexOf('/') && colon + 1 < name.Length ? name[(colon + 1)..] : "latest";
    }

    private static StorageException Exists(string path, string why) =>
        new(new StorageError(StorageErrorCode.AlreadyExists, "export", $"{path}: {why}", path, "EEXIST"));
}
