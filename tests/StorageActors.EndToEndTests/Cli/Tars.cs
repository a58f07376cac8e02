using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;

namespace StorageActors.EndToEndTests.Cli;

/// <summary>Small layer tars.</summary>
internal static class Tars
{
    /// <summary>Files with their text; a name that ends in a slash is a directory.</summary>
    internal static byte[] Of(params IEnumerable<(string Name, string Text)> files)
    {
        using var buffer = new MemoryStream();
        using (var tar = new TarWriter(buffer, TarEntryFormat.Pax, leaveOpen: true))
        {
            foreach (var (name, text) in files)
            {
                var entry = name.EndsWith('/')
                    ? new PaxTarEntry(TarEntryType.Directory, name)
                    : new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text)) };
                entry.ModificationTime = DateTimeOffset.UnixEpoch;
                tar.WriteEntry(entry);
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

    /// <summary>Its digest, as it is printed.</summary>
    internal static string Digest(byte[] content) => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(content));

    /// <summary>Many megabytes that do not compress, to be interrupted on the way.</summary>
    internal static byte[] Large(int megabytes)
    {
        var content = new byte[megabytes << 20];
        new Random(7).NextBytes(content);
        using var buffer = new MemoryStream();
        using (var tar = new TarWriter(buffer, TarEntryFormat.Pax, leaveOpen: true))
        {
            tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, "large") { DataStream = new MemoryStream(content) });
        }

        return buffer.ToArray();
    }
}
