using System.Text;
using StorageActors.Archive.Digests;
using StorageActors.Archive.Tar;

namespace StorageActors.Archive.TarSplit;

/// <summary>Names of entries, compared as the file system will see them and shown to people.</summary>
internal static class EntryName
{
    /// <summary>Equal for names that lead to the same file (<c>a/b</c>, <c>./a//b/</c>, <c>/a/b</c>). Two different names may, very
    /// rarely, be equal too.</summary>
    internal static ulong Hash(ReadOnlySpan<byte> name, ByteBuffer scratch)
    {
        if (IsClean(name)) return Crc64.Compute(name);
        scratch.Clear();
        foreach (var range in name.Split((byte)'/'))
        {
            var part = name[range];
            if (part.IsEmpty || part.SequenceEqual("."u8)) continue;
            if (scratch.Length > 0) scratch.Append((byte)'/');
            scratch.Append(part);
        }

        return Crc64.Compute(scratch.Span);
    }

    private static bool IsClean(ReadOnlySpan<byte> name) =>
        !name.IsEmpty && name[0] is not ((byte)'.' or (byte)'/') && name[^1] != (byte)'/'
        && name.IndexOf("//"u8) < 0 && name.IndexOf("/./"u8) < 0 && !name.EndsWith("/."u8);

    /// <summary>The name for a message: what is no printable text becomes an escape.</summary>
    internal static string Printable(ReadOnlySpan<byte> name)
    {
        var text = new StringBuilder();
        while (!name.IsEmpty)
        {
            var valid = Rune.DecodeFromUtf8(name, out var rune, out var used) == System.Buffers.OperationStatus.Done && !Rune.IsControl(rune);
            if (valid) text.Append(rune.ToString());
            else foreach (var value in name[..used]) text.Append("\\x").Append(value.ToString("x2", null));
            name = name[used..];
        }

        return text.ToString();
    }
}
