using System.Text.Json;
using StorageActors.Protocol;

namespace StorageActors.Images.Reading;

/// <summary>Finds an image in what <c>docker save</c> writes: <c>manifest.json</c> names a configuration and the layers' tars.</summary>
internal static class DockerArchiveReader
{
    internal static FoundImage Find(IImageFiles files, string? tag, Platform? platform)
    {
        var images = Json.Read(files, "manifest.json", files.Read("manifest.json"), static root => root.EnumerateArray().Select(Entry.Read).ToArray());
        var chosen = Select(files, images, tag);
        var config = files.Read(chosen.Config);
        var parsed = ImageConfig.Read(files, config);
        parsed.CheckLayers(files, chosen.Layers.Count);
        if (platform is not null && parsed.Platform is { } actual && !platform.Matches(actual))
            throw ImageFault.Missing(files.Path, $"the image is for {actual}, not for {platform}");
        var layers = chosen.Layers.Select((name, i) => new FoundLayer(
            files.Find(name) ?? throw ImageFault.Bad(files.Path, $"the layer {name} is missing"), parsed.DiffIds[i], null));
        return new FoundImage(config, null, layers.ToArray(), chosen.Names, parsed.Created);
    }

    private static Entry Select(IImageFiles files, Entry[] images, string? tag)
    {
        var found = tag is null ? images : images.Where(image => image.Names.Contains(tag, StringComparer.Ordinal)).ToArray();
        return found switch
        {
            [var only] => only,
            [] when images.Length == 0 => throw ImageFault.Missing(files.Path, "the archive holds no image"),
            [] => throw ImageFault.Missing(files.Path, $"no image {tag}; there are: {Names(images)}"),
            _ => throw ImageFault.Ask(files.Path, $"several images; add a name: {Names(images)}"),
        };
    }

    private static string Names(Entry[] images) => string.Join(", ", images.Select(static image => image.Names.Count > 0 ? image.Names[0] : "(none)"));

    private sealed record Entry(string Config, IReadOnlyList<string> Names, IReadOnlyList<string> Layers)
    {
        internal static Entry Read(JsonElement element) =>
            new(element.GetProperty("Config").GetString() ?? "", Texts(element, "RepoTags"), Texts(element, "Layers"));

        private static string[] Texts(JsonElement element, string name) =>
            element.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array
                ? list.EnumerateArray().Select(static item => item.GetString() ?? "").ToArray() : [];
    }
}
