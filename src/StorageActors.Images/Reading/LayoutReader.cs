using System.Text.Json;
using StorageActors.Protocol;

namespace StorageActors.Images.Reading;

/// <summary>Finds an image in an OCI image layout: by tag, then by platform through nested indexes, down to its manifest.</summary>
internal static class LayoutReader
{
    private const int MaximumDepth = 8;

    internal static FoundImage Find(IImageFiles files, string? tag, Platform? platform)
    {
        var version = Json.Read(files, "file oci-layout", files.Read("oci-layout"), static root => Descriptor.Text(root, "imageLayoutVersion"));
        if (version?.StartsWith("1.", StringComparison.Ordinal) != true)
            throw ImageFault.Unsupported(files.Path, $"image layout version {version ?? "unknown"}; 1.x can be read");

        var entries = ReadIndex(files, files.Read("index.json"), "index.json");
        var tagged = SelectTag(files, entries, tag);
        var manifest = SelectPlatform(files, tagged, platform, MaximumDepth);
        return ReadManifest(files, manifest, platform, Names(files, tagged.Count == 1 ? tagged[0] : manifest, tag));
    }

    private static Descriptor[] ReadIndex(IImageFiles files, byte[] bytes, string what) => Json.Read(files, what, bytes, static root =>
        root.GetProperty("manifests").EnumerateArray().Select(Descriptor.Read).ToArray());

    private static IReadOnlyList<Descriptor> SelectTag(IImageFiles files, Descriptor[] entries, string? tag)
    {
        if (entries.Length == 0) throw ImageFault.Missing(files.Path, "the layout holds no image");
        if (tag is not null)
        {
            var found = entries.Where(entry => IsNamed(entry, tag)).ToArray();
            return found.Length > 0 ? found : throw ImageFault.Missing(files.Path, $"no image with the tag {tag}; there are: {Tags(entries)}");
        }

        // Without a tag there must be one image, be it for several platforms.
        var names = entries.Select(static entry => entry.Annotation(Descriptor.ReferenceName)).Distinct(StringComparer.Ordinal).Count();
        return names == 1 ? entries : throw ImageFault.Ask(files.Path, $"several images; add a tag: {Tags(entries)}");
    }

    private static bool IsNamed(Descriptor entry, string tag) =>
        string.Equals(entry.Annotation(Descriptor.ReferenceName), tag, StringComparison.Ordinal)
        || string.Equals(entry.Annotation(Descriptor.ContainerdName), tag, StringComparison.Ordinal);

    private static string Tags(Descriptor[] entries) => string.Join(", ", entries
        .Select(static entry => entry.Annotation(Descriptor.ReferenceName) ?? entry.Annotation(Descriptor.ContainerdName) ?? "(none)")
        .Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal));

    private static Descriptor SelectPlatform(IImageFiles files, IReadOnlyList<Descriptor> entries, Platform? asked, int depth)
    {
        if (depth == 0) throw ImageFault.Bad(files.Path, $"indexes are nested more than {MaximumDepth} deep");
        var candidates = entries.Where(static entry => !entry.IsUnknownPlatform).ToArray();
        var wanted = asked ?? Platform.Host;
        var chosen = candidates switch
        {
            [] => throw ImageFault.Missing(files.Path, "the index holds no image"),
            [{ Platform: null } only] => only,
            [var only] when asked is null => only,
            _ => candidates.FirstOrDefault(entry => entry.Platform is { } platform && wanted.Matches(platform))
                ?? (candidates.Count(static entry => entry.Platform is null) == 1 ? candidates.Single(static entry => entry.Platform is null) : null)
                ?? throw ImageFault.Ask(files.Path, $"no image for {wanted}; choose a platform: "
                    + string.Join(", ", candidates.Select(static entry => entry.Platform?.ToString() ?? "(none)").Distinct(StringComparer.Ordinal))),
        };
        return chosen.IsIndex ? SelectPlatform(files, ReadIndex(files, files.Read(chosen), "image index"), asked, depth - 1) : chosen;
    }

    private static FoundImage ReadManifest(IImageFiles files, Descriptor descriptor, Platform? asked, IReadOnlyList<string> names)
    {
        if (descriptor.MediaType is not (MediaTypes.OciManifest or MediaTypes.DockerManifest))
            throw ImageFault.Unsupported(files.Path, $"{descriptor.Digest} is a {descriptor.MediaType}, no image manifest");
        var bytes = files.Read(descriptor);
        var (config, layers) = Json.Read(files, "manifest", bytes, static root => (
            Descriptor.Read(root.GetProperty("config")),
            root.GetProperty("layers").EnumerateArray().Select(Descriptor.Read).ToArray()));
        if (!MediaTypes.IsConfig(config.MediaType))
            throw ImageFault.Unsupported(files.Path, $"the manifest's configuration is a {config.MediaType}: an artifact, no container image");
        var configBytes = files.Read(config);
        var parsed = ImageConfig.Read(files, configBytes);
        parsed.CheckLayers(files, layers.Length);
        if (asked is not null && parsed.Platform is { } actual && !asked.Matches(actual))
            throw ImageFault.Missing(files.Path, $"the image is for {actual}, not for {asked}");
        return new FoundImage(configBytes, bytes, layers.Select((layer, i) => FindLayer(files, layer, parsed.DiffIds[i])).ToArray(), names, parsed.Created);
    }

    private static FoundLayer FindLayer(IImageFiles files, Descriptor layer, Digest diffId)
    {
        if (!MediaTypes.IsLayer(layer.MediaType)) throw ImageFault.Unsupported(files.Path, $"layer {layer.Digest} is a {layer.MediaType}, no tar");
        var source = files.Find(ImageDocuments.BlobName(layer.Digest)) ?? throw ImageFault.Bad(files.Path, $"the blob of layer {layer.Digest} is missing");
        if (source.Length != layer.Size)
            throw ImageFault.Bad(files.Path, $"the blob of layer {layer.Digest} has {source.Length} bytes where {layer.Size} are announced");
        return new FoundLayer(source, diffId, layer.Digest);
    }

    /// <summary>A full name if the layout has one; else the layout's own file name and the tag, as people name such layouts.</summary>
    private static string[] Names(IImageFiles files, Descriptor entry, string? tag)
    {
        if (entry.Annotation(Descriptor.ContainerdName) is { } full) return [full];
        var name = tag ?? entry.Annotation(Descriptor.ReferenceName);
        if (name is null) return [];
        if (name.AsSpan().IndexOfAny('/', ':') >= 0) return [name];
        var file = Path.GetFileName(files.Path.TrimEnd('/'));
        foreach (var suffix in (ReadOnlySpan<string>)[".tar.gz", ".tgz", ".tar.zst", ".tar", ".oci"])
        {
            if (file.EndsWith(suffix, StringComparison.Ordinal)) file = file[..^suffix.Length];
        }

        return file.Length > 0 && !file.Any(static c => char.IsWhiteSpace(c) || char.IsControl(c)) ? [$"{file}:{name}"] : [];
    }
}
