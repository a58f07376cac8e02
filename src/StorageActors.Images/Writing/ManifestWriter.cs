using System.Text.Json;
using System.Text.Json.Nodes;
using StorageActors.Images.Reading;
using StorageActors.Protocol;

namespace StorageActors.Images.Writing;

/// <summary>Writes the documents of an image layout; the same input gives the same bytes.</summary>
internal static class ManifestWriter
{
    internal static readonly byte[] LayoutFile = "{\"imageLayoutVersion\":\"1.0.0\"}"u8.ToArray();

    /// <summary>The manifest of an image that came without one: its layers are named by their plain tars, which the store gives back exactly.</summary>
    internal static byte[] Write(byte[] config, IReadOnlyList<LayerRecord> layers) => WriteJson(json =>
    {
        json.WriteStartObject();
        json.WriteNumber("schemaVersion", 2);
        json.WriteString("mediaType", MediaTypes.OciManifest);
        json.WritePropertyName("config");
        WriteDescriptor(json, MediaTypes.OciConfig, Digest.Of(config), config.Length);
        json.WriteStartArray("layers");
        foreach (var layer in layers) WriteDescriptor(json, MediaTypes.OciLayer, layer.DiffId!.Value, layer.Size!.Value);
        json.WriteEndArray();
        json.WriteEndObject();
    });

    /// <summary>The manifest with the descriptors of some layers replaced, all else as it was.</summary>
    internal static byte[] Replace(byte[] manifest, IReadOnlyDictionary<int, (string MediaType, Digest Digest, long Size)> layers)
    {
        var root = JsonNode.Parse(manifest)!;
        foreach (var (index, layer) in layers)
        {
            var descriptor = root["layers"]![index]!;
            descriptor["mediaType"] = layer.MediaType;
            descriptor["digest"] = layer.Digest.Value;
            descriptor["size"] = layer.Size;
        }

        return JsonSerializer.SerializeToUtf8Bytes(root);
    }

    /// <summary>An <c>index.json</c> with one more image; another with the same tag is replaced.</summary>
    internal static byte[] AddToIndex(byte[]? index, byte[] manifest, string tag)
    {
        var root = index is null ? new JsonObject { ["schemaVersion"] = 2, ["mediaType"] = MediaTypes.OciIndex } : JsonNode.Parse(index)!.AsObject();
        var manifests = root["manifests"] as JsonArray ?? [];
        for (var i = manifests.Count - 1; i >= 0; i--)
        {
            if ((string?)manifests[i]?["annotations"]?[Descriptor.ReferenceName] == tag) manifests.RemoveAt(i);
        }

        manifests.Add(new JsonObject
        {
            ["mediaType"] = MediaTypeOf(manifest),
            ["digest"] = Digest.Of(manifest).Value,
            ["size"] = manifest.Length,
            ["annotations"] = new JsonObject { [Descriptor.ReferenceName] = tag },
        });
        root.Remove("manifests");
        root["manifests"] = manifests;
        return JsonSerializer.SerializeToUtf8Bytes(root);
    }

    /// <summary>The <c>manifest.json</c> of a docker archive.</summary>
    internal static byte[] DockerManifest(string config, IReadOnlyList<string> names, IReadOnlyList<string> layers) => WriteJson(json =>
    {
        json.WriteStartArray();
        json.WriteStartObject();
        json.WriteString("Config", config);
        WriteTexts(json, "RepoTags", names);
        WriteTexts(json, "Layers", layers);
        json.WriteEndObject();
        json.WriteEndArray();
    });

    private static string MediaTypeOf(byte[] manifest)
    {
        using var document = JsonDocument.Parse(manifest);
        if (Descriptor.Text(document.RootElement, "mediaType") is { } stated) return stated;
        var config = Descriptor.Text(document.RootElement.GetProperty("config"), "mediaType");
        return config == MediaTypes.DockerConfig ? MediaTypes.DockerManifest : MediaTypes.OciManifest;
    }

    private static void WriteTexts(Utf8JsonWriter json, string name, IReadOnlyList<string> texts)
    {
        json.WriteStartArray(name);
        foreach (var text in texts) json.WriteStringValue(text);
        json.WriteEndArray();
    }

    private static void WriteDescriptor(Utf8JsonWriter json, string mediaType, Digest digest, long size)
    {
        json.WriteStartObject();
        json.WriteString("mediaType", mediaType);
        json.WriteString("digest", digest.Value);
        json.WriteNumber("size", size);
        json.WriteEndObject();
    }

    private static byte[] WriteJson(Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer)) write(json);
        return buffer.ToArray();
    }
}
