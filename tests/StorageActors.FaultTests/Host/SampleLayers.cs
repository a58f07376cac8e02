using System.IO.Compression;
using System.Text;
using System.Text.Json;
using StorageActors.Archive.Tar;
using StorageActors.Protocol;

namespace StorageActors.FaultTests.Host;

/// <summary>Layers small enough to be applied thousands of times, with everything that makes an extraction do another system call.</summary>
internal static class SampleLayers
{
    private const int Mode = 0x1ED;   // 0755
    private static readonly TarTime Time = new(1_700_000_000, 5);

    internal static byte[] Base { get; } = Build(
        Directory("etc"), File("etc/passwd", 900), File("etc/old", 10), Directory("var"), Directory("var/lib"), File("var/lib/data", 150_000),
        File("var/lib/empty", 0), Link(TarEntryType.SymbolicLink, "etc/mtab", "../proc/mounts"), Directory("opt"), File("opt/gone", 10));

    internal static byte[] Child { get; } = Build(
        Directory("etc"), File("etc/.wh.old", 0), File("etc/passwd", 1_000), Directory("opt"), File("opt/.wh..wh..opq", 0), File("opt/new", 3_000),
        Link(TarEntryType.HardLink, "opt/same", "opt/new"), Link(TarEntryType.SymbolicLink, "opt/link", "/etc/passwd"),
        Node(TarEntryType.CharacterDevice, "dev-null", 1, 3), Node(TarEntryType.Fifo, "queue", 0, 0),
        File("opt/" + new string('n', 180), 20), File("attributes", 70_000, ("user.colour", "blue"), ("security.capability", "\u0001\0\0\u0002\0\u0004\0\0\0\0\0\0\0\0\0\0\0\0\0\0")));

    /// <summary>What an attacker begins with: links that lead out of the layer, and names behind them.</summary>
    internal static byte[] Small { get; } = Build(
        Directory("dir"), File("dir/file", 100), Link(TarEntryType.SymbolicLink, "out", "../../outside"), File("out/planted", 5),
        Link(TarEntryType.SymbolicLink, "up", ".."), File("up/up/outside/planted", 5), Link(TarEntryType.HardLink, "hard", "dir/file"),
        File(".wh.dir", 0), File("dir/.wh..wh..opq", 0), File("dir/file", 30));

    /// <summary>One file of so many bytes.</summary>
    internal static byte[] Large(int size) => Build(File("large", size));

    internal static byte[] Gzip(byte[] bytes)
    {
        using var stream = new MemoryStream();
        using (var gzip = new GZipStream(stream, CompressionLevel.Fastest, leaveOpen: true)) gzip.Write(bytes);
        return stream.ToArray();
    }

    /// <summary>An image layout of both layers.</summary>
    internal static void WriteLayout(string directory)
    {
        var blobs = System.IO.Directory.CreateDirectory(Path.Combine(directory, "blobs", "sha256")).FullName;
        System.IO.File.WriteAllText(Path.Combine(directory, "oci-layout"), """{"imageLayoutVersion":"1.0.0"}""");
        // Content of its own, so that the image's layers are not those of the other samples.
        byte[][] tars = [Build(Directory("image"), File("image/base", 40_000)), Build(Directory("image"), File("image/.wh.base", 0), File("image/top", 2_000))];
        var config = JsonSerializer.SerializeToUtf8Bytes(new
        {
            os = "linux", architecture = "amd64", rootfs = new { type = "layers", diff_ids = tars.Select(static tar => Digest.Of(tar).Value) },
        });
        var manifest = JsonSerializer.SerializeToUtf8Bytes(new
        {
            schemaVersion = 2,
            config = Blob(config, "application/vnd.oci.image.config.v1+json"),
            layers = tars.Select(tar => Blob(Gzip(tar), "application/vnd.oci.image.layer.v1.tar+gzip")),
        });
        System.IO.File.WriteAllText(
            Path.Combine(directory, "index.json"),
            JsonSerializer.Serialize(new { schemaVersion = 2, manifests = new[] { Blob(manifest, "application/vnd.oci.image.manifest.v1+json") } }));

        object Blob(byte[] bytes, string mediaType)
        {
            var digest = Digest.Of(bytes);
            System.IO.File.WriteAllBytes(Path.Combine(blobs, digest.Hex), bytes);
            return new { mediaType, digest = digest.Value, size = bytes.Length };
        }
    }

    private static byte[] Build(params Entry[] entries)
    {
        using var stream = new MemoryStream();
        var writer = new TarWriter(stream, nanoseconds: true);
        foreach (var entry in entries)
        {
            writer.WriteHeader(new TarItem
            {
                Type = entry.Type, Name = Bytes(entry.Name), LinkName = Bytes(entry.Target), Mode = Mode, Uid = 10, Gid = 20, Mtime = Time, Size = entry.Size,
                DeviceMajor = entry.Device.Major, DeviceMinor = entry.Device.Minor,
                Xattrs = entry.Xattrs?.Select(static xattr => new TarXattr(Bytes(xattr.Name), Bytes(xattr.Value))).ToArray(),
            });
            if (entry.Size == 0) continue;
            var content = new byte[entry.Size];
            new Random(entry.Size).NextBytes(content);
            writer.WritePayload(content);
        }

        writer.Finish();
        return stream.ToArray();
    }

    private static Entry Directory(string name) => new(TarEntryType.Directory, name);

    private static Entry File(string name, int size, params (string Name, string Value)[] xattrs) => new(TarEntryType.RegularFile, name, Size: size, Xattrs: xattrs);

    private static Entry Link(TarEntryType type, string name, string target) => new(type, name, target);

    private static Entry Node(TarEntryType type, string name, int major, int minor) => new(type, name, Device: (major, minor));

    private static byte[] Bytes(string text) => Encoding.Latin1.GetBytes(text);

    private sealed record Entry(
        TarEntryType Type, string Name, string Target = "", int Size = 0, (int Major, int Minor) Device = default, (string Name, string Value)[]? Xattrs = null);
}
