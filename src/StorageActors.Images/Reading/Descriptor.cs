using System.Text.Json;
using StorageActors.Protocol;

namespace StorageActors.Images.Reading;

/// <summary>A reference to a blob, as OCI documents have it.</summary>
internal sealed record Descriptor(string MediaType, Digest Digest, long Size, IReadOnlyDictionary<string, string> Annotations, Platform? Platform)
{
    internal const string ReferenceName = "org.opencontainers.image.ref.name";
    internal const string ContainerdName = "io.containerd.image.name";

    internal string? Annotation(string key) => Annotations.GetValueOrDefault(key);

    internal bool IsIndex => MediaType is MediaTypes.OciIndex or MediaTypes.DockerManifestList;

    /// <summary>Attestations and the like stand in an index under a platform that nobody has.</summary>
    internal bool IsUnknownPlatform => Platform is { Os: "unknown" };

    internal static Descriptor Read(JsonElement element)
    {
        var annotations = new Dictionary<string, string>(StringComparer.Ordinal);
        if (element.TryGetProperty("annotations", out var pairs) && pairs.ValueKind == JsonValueKind.Object)
        {
            foreach (var pair in pairs.EnumerateObject()) annotations[pair.Name] = pair.Value.GetString() ?? "";
        }

        Platform? platform = null;
        if (element.TryGetProperty("platform", out var p) && p.ValueKind == JsonValueKind.Object)
            platform = new Platform(Text(p, "os") ?? "", Text(p, "architecture") ?? "", Text(p, "variant"));
        return new Descriptor(
            Text(element, "mediaType") ?? "",
            Digest.Parse(Text(element, "digest") ?? ""),
            element.GetProperty("size").GetInt64(),
            annotations,
            platform);
    }

    internal static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text ? text : null;
}
