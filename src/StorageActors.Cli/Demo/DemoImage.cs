using System.Text;
using System.Text.Json;
using StorageActors.Archive.Compression;
using StorageActors.Images;
using StorageActors.Linux.Codecs;
using StorageActors.Protocol;

namespace StorageActors.Cli.Demo;

/// <summary>A blob of the image layout that the demo makes.</summary>
internal sealed record DemoBlob(string MediaType, Digest Digest, long Size);

/// <summary>A layer of it.</summary>
internal sealed record DemoLayer(DemoBlob Blob, Digest DiffId, long Size);

/// <summary>
/// Makes an OCI image layout of this machine's own .NET: real files, several layers and compressions, links, a whiteout and an opaque directory.
/// </summary>
internal sealed class DemoImage(string layout)
{
    private const string Dotnet = "usr/share/dotnet";

    internal string Layout => layout;

    internal string BlobPath(Digest digest) => Path.Combine(layout, "blobs/sha256", digest.Hex);

    /// <summary>Makes it; layers are compressed at the same time.</summary>
    internal async Task<IReadOnlyList<DemoLayer>> BuildAsync(CancellationToken stop)
    {
        Directory.CreateDirectory(Path.Combine(layout, "blobs/sha256"));
        var source = DotnetFolder.Find();
        var zstd = ZstdEncoder.IsAvailable ? LayerCompression.Zstd : LayerCompression.Gzip;
        Task<DemoLayer>[] building =
        [
            BuildLayer(LayerCompression.Gzip, content => System(content, source), stop),
            BuildLayer(zstd, content => Framework(content, source), stop),
            BuildLayer(LayerCompression.Gzip, content => Sdk(content, source), stop),
            BuildLayer(LayerCompression.None, content => Changes(content, source), stop),
        ];
        var layers = await Task.WhenAll(building);
        Describe(layers);
        return layers;
    }

    private static void System(LayerContent content, DotnetFolder source)
    {
        content.Directory("tmp", (UnixFileMode)0x3FF);   // 1777
        content.Directory("etc");
        content.Text("etc/os-release", "NAME=\"StorageActors demo\"\nID=demo\n");
        if (File.Exists("/bin/busybox"))
        {
            content.Directory("bin");
            content.File("/bin/busybox", "bin/busybox");
            content.HardLink("bin/sh", "bin/busybox");
            content.SymbolicLink("bin/ls", "busybox");
        }

        content.Directory(Dotnet);
        foreach (var name in new[] { "dotnet", "LICENSE.txt", "ThirdPartyNotices.txt" })
        {
            var file = Path.Combine(source.Root, name);
            if (File.Exists(file)) content.File(file, $"{Dotnet}/{name}");
        }

        var host = Path.Combine(source.Root, "host");
        if (Directory.Exists(host)) content.Tree(host, $"{Dotnet}/host");
        content.Tree(Path.Combine(source.Root, source.Runtime), $"{Dotnet}/{source.Runtime}");
    }

    private static void Framework(LayerContent content, DotnetFolder source)
    {
        content.Directory(Dotnet);
        if (source.Framework("Microsoft.AspNetCore.App") is { } framework) content.Tree(Path.Combine(source.Root, framework), $"{Dotnet}/{framework}");
    }

    private static void Sdk(LayerContent content, DotnetFolder source)
    {
        content.Directory(Dotnet);
        foreach (var part in source.SdkParts()) content.Tree(Path.Combine(source.Root, part), $"{Dotnet}/{part}");
    }

    private static void Changes(LayerContent content, DotnetFolder source)
    {
        content.Directory("etc");
        content.Text("etc/os-release", "NAME=\"StorageActors demo, changed\"\nID=demo\n");
        content.Whiteout($"{Dotnet}/ThirdPartyNotices.txt");
        if (source.SdkParts() is not [var first, ..]) return;
        content.Opaque($"{Dotnet}/{first}");
        content.Text($"{Dotnet}/{first}/README", "All that was here is hidden by an opaque directory.\n");
    }

    private Task<DemoLayer> BuildLayer(LayerCompression compression, Action<LayerContent> fill, CancellationToken stop) => Task.Run(
        () =>
        {
            var temporary = Path.Combine(layout, TicketId.New().Value);
            using (var file = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 20))
            using (var blob = new DigestingStream(file))
            {
                Digest diffId;
                long size;
                using (var encoder = Codec.OpenEncoder(blob, compression))
                using (var tar = new DigestingStream(encoder))
                {
                    using (var content = new LayerContent(tar, stop)) fill(content);
                    (diffId, size) = (tar.Digest, tar.Length);
                }

                var suffix = compression == LayerCompression.None ? "" : "+" + compression.ToString().ToLowerInvariant();
                var described = new DemoBlob("application/vnd.oci.image.layer.v1.tar" + suffix, blob.Digest, blob.Length);
                File.Move(temporary, BlobPath(described.Digest));
                return new DemoLayer(described, diffId, size);
            }
        }, stop);

    private void Describe(DemoLayer[] layers)
    {
        var config = Put("application/vnd.oci.image.config.v1+json", json =>
        {
            json.WriteString("architecture", Platform.Host.Architecture);
            json.WriteString("os", Platform.Host.Os);
            json.WriteStartObject("rootfs");
            json.WriteString("type", "layers");
            json.WriteStartArray("diff_ids");
            foreach (var layer in layers) json.WriteStringValue(layer.DiffId.Value);
            json.WriteEndArray();
            json.WriteEndObject();
        });
        var manifest = Put("application/vnd.oci.image.manifest.v1+json", json =>
        {
            json.WriteNumber("schemaVersion", 2);
            json.WriteString("mediaType", "application/vnd.oci.image.manifest.v1+json");
            Write(json, "config", config);
            json.WriteStartArray("layers");
            foreach (var layer in layers) Write(json, null, layer.Blob);
            json.WriteEndArray();
        });
        File.WriteAllText(Path.Combine(layout, "oci-layout"), """{"imageLayoutVersion":"1.0.0"}""");
        File.WriteAllBytes(Path.Combine(layout, "index.json"), Json(json =>
        {
            json.WriteNumber("schemaVersion", 2);
            json.WriteStartArray("manifests");
            Write(json, null, manifest, tag: "demo");
            json.WriteEndArray();
        }));
        Manifest = manifest.Digest;
    }

    /// <summary>The digest of the manifest, once it is made.</summary>
    internal Digest Manifest { get; private set; }

    private DemoBlob Put(string mediaType, Action<Utf8JsonWriter> write)
    {
        var content = Json(write);
        var digest = Digest.Of(content);
        File.WriteAllBytes(BlobPath(digest), content);
        return new DemoBlob(mediaType, digest, content.Length);
    }

    private static byte[] Json(Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        return buffer.ToArray();
    }

    private static void Write(Utf8JsonWriter json, string? name, DemoBlob blob, string? tag = null)
    {
        if (name is null) json.WriteStartObject();
        else json.WriteStartObject(name);
        json.WriteString("mediaType", blob.MediaType);
        json.WriteString("digest", blob.Digest.Value);
        json.WriteNumber("size", blob.Size);
        if (tag is not null)
        {
            json.WriteStartObject("annotations");
            json.WriteString("org.opencontainers.image.ref.name", tag);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }
}
