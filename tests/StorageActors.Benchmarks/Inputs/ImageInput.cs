using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace StorageActors.Benchmarks.Inputs;

/// <summary>One image whose gzip blobs are the same bytes in each form.</summary>
/// <param name="Layout">An OCI layout; its tag is <c>latest</c>.</param>
/// <param name="OciArchive">The layout as a tar.</param>
/// <param name="DockerArchive">What <c>docker save</c> would write, but with compressed layers, which <c>docker load</c> takes.</param>
internal sealed record ImageInput(string Layout, string OciArchive, string DockerArchive)
{
    internal static ImageInput Make(string cache, string word, IReadOnlyList<LayerInput> layers)
    {
        var made = new ImageInput($"{cache}/{word}", $"{cache}/{word}.oci.tar", $"{cache}/{word}.docker.tar");
        if (!File.Exists(made.DockerArchive))
        {
            Console.Error.WriteLine($"making {word}.oci.tar and {word}.docker.tar, once for this machine");
            if (Directory.Exists(made.Layout)) Directory.Delete(made.Layout, recursive: true);
            Write(made, layers);
        }

        Shell.Run($"cat '{made.Layout}'/blobs/sha256/* '{made.OciArchive}' '{made.DockerArchive}' >/dev/null");   // into the page cache
        return made;
    }

    private static void Write(ImageInput image, IReadOnlyList<LayerInput> layers)
    {
        var blobs = Directory.CreateDirectory($"{image.Layout}/blobs/sha256").FullName;
        var config = new JsonObject
        {
            ["architecture"] = "amd64", ["os"] = "linux", ["config"] = new JsonObject(),
            ["rootfs"] = new JsonObject { ["type"] = "layers", ["diff_ids"] = new JsonArray([.. layers.Select(static layer => JsonValue.Create("sha256:" + Hash(layer.Tar)))]) },
            ["history"] = new JsonArray([.. layers.Select(static layer => new JsonObject { ["created_by"] = layer.Name })]),
        };
        var descriptors = layers.Select(layer =>
        {
            var hash = Hash(layer.Gzip);
            File.Copy(layer.Gzip, $"{blobs}/{hash}");
            return Descriptor("application/vnd.oci.image.layer.v1.tar+gzip", hash, new FileInfo(layer.Gzip).Length);
        }).ToArray();
        var manifest = new JsonObject
        {
            ["schemaVersion"] = 2, ["mediaType"] = "application/vnd.oci.image.manifest.v1+json",
            ["config"] = Put(blobs, config, "application/vnd.oci.image.config.v1+json"), ["layers"] = new JsonArray([.. descriptors]),
        };
        var entry = Put(blobs, manifest, "application/vnd.oci.image.manifest.v1+json");
        entry["annotations"] = new JsonObject { ["org.opencontainers.image.ref.name"] = "latest" };
        entry["platform"] = new JsonObject { ["architecture"] = "amd64", ["os"] = "linux" };
        File.WriteAllText($"{image.Layout}/index.json", new JsonObject { ["schemaVersion"] = 2, ["manifests"] = new JsonArray(entry) }.ToJsonString());
        File.WriteAllText($"{image.Layout}/oci-layout", """{"imageLayoutVersion":"1.0.0"}""");
        Shell.Run($"tar -C '{image.Layout}' -cf '{image.OciArchive}' oci-layout index.json blobs");
        WriteDockerArchive(image, config, layers);
    }

    private static void WriteDockerArchive(ImageInput image, JsonObject config, IReadOnlyList<LayerInput> layers)
    {
        var scratch = Directory.CreateDirectory($"{image.DockerArchive}.d").FullName;
        var names = new JsonArray();
        foreach (var (number, layer) in layers.Index())
        {
            var home = number.ToString(CultureInfo.InvariantCulture);
            Directory.CreateDirectory($"{scratch}/{home}");
            File.Copy(layer.Gzip, $"{scratch}/{home}/layer.tar");
            names.Add($"{home}/layer.tar");
        }

        File.WriteAllText($"{scratch}/config.json", config.ToJsonString());
        var entry = new JsonObject { ["Config"] = "config.json", ["RepoTags"] = new JsonArray("bench:latest"), ["Layers"] = names };
        File.WriteAllText($"{scratch}/manifest.json", new JsonArray(entry).ToJsonString());
        Shell.Run($"tar -C '{scratch}' -cf '{image.DockerArchive}.new' manifest.json config.json $(seq 0 {layers.Count - 1})");
        Directory.Delete(scratch, recursive: true);
        File.Move($"{image.DockerArchive}.new", image.DockerArchive);
    }

    private static JsonObject Put(string blobs, JsonObject content, string type)
    {
        var bytes = Encoding.UTF8.GetBytes(content.ToJsonString());
        var hash = Convert.ToHexStringLower(SHA256.HashData(bytes));
        File.WriteAllBytes($"{blobs}/{hash}", bytes);
        return Descriptor(type, hash, bytes.Length);
    }

    private static JsonObject Descriptor(string type, string hash, long size) => new() { ["mediaType"] = type, ["digest"] = "sha256:" + hash, ["size"] = size };

    private static string Hash(string path)
    {
        using var file = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }
}
