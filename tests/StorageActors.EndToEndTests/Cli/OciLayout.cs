using System.Security.Cryptography;
using System.Text;

namespace StorageActors.EndToEndTests.Cli;

/// <summary>A small OCI image layout on disk.</summary>
internal sealed record OciLayout(string Path, string ImageId, string Manifest)
{
    /// <summary>Writes one. Layers are given as blob and tar, blob and tar, ...</summary>
    internal static OciLayout Write(string path, params IReadOnlyList<byte[]> blobsAndTars) => Write(path, created: null, blobsAndTars);

    /// <summary>The same of an image that says when it was made.</summary>
    internal static OciLayout Write(string path, string? created, IReadOnlyList<byte[]> blobsAndTars)
    {
        var blobs = System.IO.Path.Combine(path, "blobs/sha256");
        Directory.CreateDirectory(blobs);
        var (layers, diffIds) = (new List<string>(), new List<string>());
        foreach (var pair in blobsAndTars.Chunk(2))
        {
            layers.Add(Descriptor("application/vnd.oci.image.layer.v1.tar+gzip", Put(pair[0])));
            diffIds.Add($"\"{Tars.Digest(pair[1])}\"");
        }

        var config = Put(Encoding.UTF8.GetBytes(
            $$$"""{{{{(created is null ? "" : $"\"created\":\"{created}\",")}}}"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[{{{string.Join(',', diffIds)}}}]}}"""));
        var manifest = Put(Encoding.UTF8.GetBytes(
            $$"""{"schemaVersion":2,"config":{{Descriptor("application/vnd.oci.image.config.v1+json", config)}},"layers":[{{string.Join(',', layers)}}]}"""));
        var annotated = Descriptor("application/vnd.oci.image.manifest.v1+json", manifest)[..^1] + ""","annotations":{"org.opencontainers.image.ref.name":"v1"}}""";
        File.WriteAllText(System.IO.Path.Combine(path, "index.json"), $$"""{"schemaVersion":2,"manifests":[{{annotated}}]}""");
        File.WriteAllText(System.IO.Path.Combine(path, "oci-layout"), """{"imageLayoutVersion":"1.0.0"}""");
        return new OciLayout(path, config.Hex, "sha256:" + manifest.Hex);

        (string Hex, int Size) Put(byte[] content)
        {
            var hex = Convert.ToHexStringLower(SHA256.HashData(content));
            File.WriteAllBytes(System.IO.Path.Combine(blobs, hex), content);
            return (hex, content.Length);
        }
    }

    private static string Descriptor(string mediaType, (string Hex, int Size) blob) =>
        $$"""{"mediaType":"{{mediaType}}","digest":"sha256:{{blob.Hex}}","size":{{blob.Size}}}""";
}
