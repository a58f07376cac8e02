using System.Text;
using FsCheck;
using FsCheck.Fluent;

namespace StorageActors.FaultTests.Fuzzing;

/// <summary>Archives in the dialects that our own writer does not write, by generators: PAX records right and wrong, GNU names and sparse maps.</summary>
internal static class Dialects
{
    private const int Block = 512;

    private static readonly string[] Keys =
    [
        "path", "linkpath", "size", "mtime", "atime", "ctime", "uid", "gid", "uname", "hdrcharset", "comment", "GNU.sparse.major", "GNU.sparse.minor", "GNU.sparse.name",
        "GNU.sparse.realsize", "GNU.sparse.size", "GNU.sparse.map", "GNU.sparse.numblocks", "GNU.sparse.offset", "GNU.sparse.numbytes", "SCHILY.xattr.user.a",
        "SCHILY.xattr.security.capability", "SCHILY.xattr.trusted.overlay.opaque", "LIBARCHIVE.xattr.user.b", "SCHILY.fflags", "SCHILY.realsize",
    ];

    private static readonly string[] Values =
        ["", "0", "1", "5", "512", "1.5", "-3.25", "99999999999999999999999", "name", "a/b/c", "../up", "/abs", ".wh.x", "0,5", "0,5,10,5", "1,1,0,0", "\0", "\xff", "dXNlcg=="];

    /// <summary>Archives of a few entries, each with PAX records.</summary>
    internal static Gen<byte[]> Archives { get; } =
        Entry.ListOf().Resize(4).Select(static entries => entries.SelectMany(static entry => entry).Concat(new byte[2 * Block]).ToArray());

    /// <summary>Samples to be changed further; always the same, so that a finding has its seed for a name.</summary>
    internal static IReadOnlyList<byte[]> All { get; } = [.. Archives.Sample(40, new Rnd(20_260_101), 24)];

    private static Gen<byte[]> Entry =>
        from records in Record.ListOf().Resize(6)
        from isGlobal in Gen.Frequency((9, Gen.Constant(false)), (1, Gen.Constant(true)))
        from type in Gen.Elements('0', '0', '0', '5', '2', '1', '3', '6', 'S', '7')
        from name in Gen.Elements("file", "dir/", "a/b", "./x", "dir/file", "GNUSparseFile.0/s", "link")
        from size in Gen.Elements(0, 0, 5, 512, 700)
        select (byte[])[.. Pax(string.Concat(records), isGlobal), .. Header(name, type, size), .. new byte[Padded(size)]];

    private static Gen<string> Record =>
        from key in Gen.Elements(Keys)
        from value in Gen.Elements(Values)
        from lie in Gen.Frequency((12, Gen.Constant(0)), (1, Gen.Choose(-5, 5)))
        select Sized($"{key}={value}\n", lie);

    private static string Sized(string text, int lie)
    {
        var length = text.Length + 2;
        while (length != text.Length + 1 + length.ToString(null as IFormatProvider).Length) length++;
        return FormattableString.Invariant($"{length + lie} {text}");
    }

    private static byte[] Pax(string records, bool isGlobal)
    {
        if (records.Length == 0) return [];
        var bytes = Encoding.Latin1.GetBytes(records);
        return [.. Header("PaxHeaders/x", isGlobal ? 'g' : 'x', bytes.Length), .. bytes, .. new byte[Padded(bytes.Length) - bytes.Length]];
    }

    private static int Padded(int size) => (size + Block - 1) / Block * Block;

    private static byte[] Header(string name, char type, int size)
    {
        var header = new byte[Block];
        Put(0, name);
        Put(100, "0000644\0");
        Put(108, "0000000\0");
        Put(116, "0000000\0");
        Put(124, Convert.ToString(size, 8).PadLeft(11, '0') + "\0");
        Put(136, "14524770400\0");
        Put(148, "        ");
        header[156] = (byte)type;
        if (type is '1' or '2') Put(157, "file");
        Put(257, "ustar\0" + "00");
        Put(148, Convert.ToString(header.Sum(static value => value), 8).PadLeft(6, '0') + "\0 ");
        return header;

        void Put(int offset, string text) => Encoding.Latin1.GetBytes(text).CopyTo(header, offset);
    }
}
