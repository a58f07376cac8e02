using System.Formats.Tar;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using StorageActors.Protocol;

namespace StorageActors.CrashTests.Workload;

/// <summary>Content out of seeds, the same in the process that dies and in the one that looks afterwards.</summary>
internal static class Contents
{
    /// <summary>A layer's tar (ustar: the pax headers of .NET name the process that wrote them): directories, files of a few bytes or some hundred kilobytes, links, and now and then a whiteout.</summary>
    internal static byte[] Tar(int seed)
    {
        var random = new Random(seed);
        using var buffer = new MemoryStream();
        using (var tar = new TarWriter(buffer, TarEntryFormat.Ustar, leaveOpen: true))
        {
            var directories = random.Next(1, 5);
            for (var directory = 0; directory < directories; directory++)
            {
                Write(tar, new UstarTarEntry(TarEntryType.Directory, Name("d", directory)) { Mode = (UnixFileMode)0x1ED });
                var files = random.Next(1, 12);
                for (var file = 0; file < files; file++)
                {
                    var content = new byte[random.Next(10) == 0 ? random.Next(300_000) : random.Next(3000)];
                    random.NextBytes(content);
                    var name = Name("d", directory) + "/" + Name(random.Next(2) == 0 ? "f" : $"s{seed}-", file);
                    Write(tar, new UstarTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(content), Mode = (UnixFileMode)random.Next(0x200) });
                    if (random.Next(8) == 0) Write(tar, new UstarTarEntry(TarEntryType.HardLink, name + ".hard") { LinkName = name });
                    if (random.Next(8) == 0) Write(tar, new UstarTarEntry(TarEntryType.SymbolicLink, name + ".soft") { LinkName = "../" + name });
                }

                if (random.Next(4) == 0) Write(tar, new UstarTarEntry(TarEntryType.RegularFile, Name("d", directory) + "/.wh." + Name("g", random.Next(12))));
            }
        }

        return buffer.ToArray();
    }

    internal static byte[] Gzip(byte[] tar)
    {
        using var buffer = new MemoryStream();
        using (var gzip = new GZipStream(buffer, CompressionLevel.Fastest, leaveOpen: true)) gzip.Write(tar);
        return buffer.ToArray();
    }

    /// <summary>What a container writes.</summary>
    internal static byte[] File(int seed)
    {
        var random = new Random(seed);
        var content = new byte[random.Next(20_000)];
        random.NextBytes(content);
        return content;
    }

    /// <summary>A document of an image.</summary>
    internal static byte[] Document(int seed) => Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{{\"seed\":{seed},\"text\":\"{new string('x', seed % 5000)}\"}}"));

    internal static ImageId Image(int seed) => ImageId.Of(Digest.Of(Document(seed)));

    private static string Name(string kind, int number) => string.Create(CultureInfo.InvariantCulture, $"{kind}{number}");

    private static void Write(TarWriter tar, UstarTarEntry entry)
    {
        entry.ModificationTime = DateTimeOffset.UnixEpoch;
        tar.WriteEntry(entry);
    }
}
