using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using StorageActors.Protocol;

namespace StorageActors.EngineTests.Images;

/// <summary>Writes image layouts, right ones and wrong ones, into a directory that is deleted at the end.</summary>
internal sealed class LayoutBuilder : IDisposable
{
    private readonly List<object> _manifests = [];

    internal LayoutBuilder()
    {
        Root = Directory.CreateTempSubdirectory("storage-actors-layout-").FullName;
        Path = System.IO.Path.Combine(Root, "image");
        Directory.CreateDirectory(System.IO.Path.Combine(Path, "blobs", "sha256"));
        File.WriteAllText(System.IO.Path.Combine(Path, "oci-layout"), """{"imageLayoutVersion":"1.0.0"}""");
    }

    internal string Root { get; }

    internal string Path { get; }

    internal static byte[] Tar(string file)
    {
        using var stream = new MemoryStream();
        using (var tar = new TarWriter(stream, leaveOpen: true))
        {
            tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, file)
            {
                ModificationTime = DateTimeOffset.UnixEpoch,
                DataStream = new MemoryStream(Encoding.UTF8.GetBytes(file)),
            });
        }

        return stream.ToArray();
    }

    internal static byte[] Gzip(byte[] bytes)
    {
        using var stream = new MemoryStream();
        using (var gzip = new GZipStream(stream, CompressionLevel.Optimal, leaveOpen: true)) gzip.Write(bytes);
        return stream.ToArray();
    }

    internal Digest Blob(byte[] bytes)
    {
        var digest = Digest.Of(bytes);
        File.WriteAllBytes(System.IO.Path.Combine(Path, "blobs", "sha256", digest.Hex), bytes);
        return digest;
    }

    internal Digest Blob(object json) => Blob(JsonSerializer.SerializeToUtf8Bytes(json));

    /// <summary>A manifest of gzipped layers; its descriptor goes nowhere yet.</summary>
    internal object Image(string[] files, string architecture = "amd64", string configType = "application/vnd.oci.image.config.v1+json", bool withPlatform = false,
        object? created = null)
    {
        var tars = files.Select(Tar).ToArray();
        var rootfs = new { type = "layers", diff_ids = tars.Select(static t => Digest.Of(t).Value) };
        var config = created is not null ? Serialize(new { created, os = "linux", architecture, rootfs }) : Serialize(new { os = "linux", architecture, rootfs });
        var layers = tars.Select(tar => Descriptor(Gzip(tar), "application/vnd.oci.image.layer.v1.tar+gzip")).ToArray();
        var manifest = Serialize(new { schemaVersion = 2, config = Descriptor(config, configType), layers });
        var descriptor = Descriptor(manifest, "application/vnd.oci.image.manifest.v1+json");
        if (withPlatform) descriptor["platform"] = new { os = "linux", architecture };
        return descriptor;
    }

    internal Dictionary<string, object> Descriptor(byte[] bytes, string mediaType) => new(StringComparer.Ordinal)
    {
        ["mediaType"] = mediaType,
        ["digest"] = Blob(bytes).Value,
        ["size"] = bytes.Length,
    };

    internal LayoutBuilder Tagged(string? tag, object descriptor)
    {
        var entry = (Dictionary<string, object>)descriptor;
        if (tag is not null) entry["annotations"] = new Dictionary<string, string>(StringComparer.Ordinal) { ["org.opencontainers.image.ref.name"] = tag };
        _manifests.Add(entry);
        File.WriteAllText(System.IO.Path.Combine(Path, "index.json"), JsonSerializer.Serialize(new { schemaVersion = 2, manifests = _manifests }));
        return this;
    }

    internal object Index(params object[] manifests) =>
        Descriptor(Serialize(new { schemaVersion = 2, manifests }), "application/vnd.oci.image.index.v1+json");

    /// <summary>The layout as an archive, made by another program's library.</summary>
    internal string Archive(bool compressed = false)
    {
        var path = System.IO.Path.Combine(Root, compressed ? "image.tar.gz" : "image.tar");
        using var file = File.Create(path);
        using var stream = compressed ? new GZipStream(file, CompressionLevel.Fastest) : (Stream)file;
        TarFile.CreateFromDirectory(Path, stream, includeBaseDirectory: false);
        return path;
    }

    public void Dispose() => Directory.Delete(Root, recursive: true);

    private static byte[] Serialize(object value) => JsonSerializer.SerializeToUtf8Bytes(value);
}
