using System.Text.Json;
using StorageActors.Protocol;

namespace StorageActors.Images.Reading;

/// <summary>What the store needs of an image's configuration.</summary>
internal sealed record ImageConfig(IReadOnlyList<Digest> DiffIds, Platform? Platform, DateTimeOffset? Created)
{
    internal static ImageConfig Read(IImageFiles files, byte[] bytes) => Json.Read(files, "configuration", bytes, static root =>
    {
        var diffIds = root.TryGetProperty("rootfs", out var rootfs) && rootfs.TryGetProperty("diff_ids", out var ids) && ids.ValueKind == JsonValueKind.Array
            ? ids.EnumerateArray().Select(static id => Digest.Parse(id.GetString() ?? "")).ToArray()
            : [];
        var os = Descriptor.Text(root, "os");
        var architecture = Descriptor.Text(root, "architecture");
        return new ImageConfig(diffIds, os is null || architecture is null ? null : new Platform(os, architecture, Descriptor.Text(root, "variant")), CreatedOf(root));
    });

    /// <summary>When it was made; null when it does not say so as its specification wants it, or has the zero of programs that do not know it.</summary>
    private static DateTimeOffset? CreatedOf(JsonElement root) =>
        root.TryGetProperty("created", out var text) && text.ValueKind == JsonValueKind.String && text.TryGetDateTimeOffset(out var created) && created.UtcTicks > 0
            ? created.ToUniversalTime() : null;

    internal void CheckLayers(IImageFiles files, int layers)
    {
        if (DiffIds.Count != layers)
            throw ImageFault.Bad(files.Path, $"the configuration names {DiffIds.Count} layers and the manifest {layers}");
    }
}

/// <summary>Reads JSON that came from outside.</summary>
internal static class Json
{
    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 64 };

    internal static T Read<T>(IImageFiles files, string what, byte[] bytes, Func<JsonElement, T> read)
    {
        try
        {
            using var document = JsonDocument.Parse(bytes, Options);
            return read(document.RootElement);
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException or KeyNotFoundException)
        {
            throw ImageFault.Bad(files.Path, $"the {what} is malformed: {e.Message}", e);
        }
    }
}
