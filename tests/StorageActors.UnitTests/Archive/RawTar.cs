using System.Globalization;
using System.Text;

namespace StorageActors.UnitTests.Archive;

/// <summary>Builds archives block by block, also wrong ones; knows nothing of the code under test.</summary>
internal sealed class RawTar
{
    private readonly MemoryStream _bytes = new();

    internal static byte[] Ustar => "ustar\000"u8.ToArray();

    internal static byte[] Gnu => "ustar  \0"u8.ToArray();

    internal static byte[] V7 => new byte[8];

    internal byte[] ToArray() => _bytes.ToArray();

    internal RawTar Entry(string name, string content = "", char type = '0', string link = "", byte[]? magic = null, Action<byte[]>? change = null) =>
        Entry(Latin1(name), Latin1(content), type, Latin1(link), magic, change);

    internal RawTar Entry(byte[] name, byte[] content, char type, byte[] link, byte[]? magic, Action<byte[]>? change) =>
        Header(name, content.Length, type, link, magic, change).Raw(content).Pad();

    internal RawTar Header(byte[] name, long size, char type, byte[]? link = null, byte[]? magic = null, Action<byte[]>? change = null, bool signed = false)
    {
        var block = new byte[512];
        name.CopyTo(block, 0);
        Octal(block, 100, 8, 420);
        Octal(block, 108, 8, 1000);
        Octal(block, 116, 8, 1001);
        Octal(block, 124, 12, size);
        Octal(block, 136, 12, 1_700_000_000);
        block[156] = (byte)type;
        link?.CopyTo(block, 157);
        (magic ?? Ustar).CopyTo(block, 257);
        change?.Invoke(block);
        Checksum(block, signed);
        _bytes.Write(block);
        return this;
    }

    internal RawTar Pax(char type, params string[] records) => Entry("pax", string.Concat(records), type);

    internal RawTar Raw(params byte[] bytes)
    {
        _bytes.Write(bytes);
        return this;
    }

    internal RawTar Pad() => Raw(new byte[(512 - (_bytes.Length % 512)) % 512]);

    internal RawTar End(int blocks = 2) => Raw(new byte[512 * blocks]);

    internal static string Record(string key, string value)
    {
        var rest = Latin1(key).Length + Latin1(value).Length + 3;
        var length = rest + 1;
        while (length != rest + length.ToString(CultureInfo.InvariantCulture).Length)
            length = rest + length.ToString(CultureInfo.InvariantCulture).Length;
        return $"{length} {key}={value}\n";
    }

    internal static byte[] Latin1(string text) => Encoding.Latin1.GetBytes(text);

    internal static void Octal(byte[] block, int offset, int width, long value) =>
        Latin1(Convert.ToString(value, 8).PadLeft(width - 1, '0')).CopyTo(block, offset);

    internal static void Checksum(byte[] block, bool signed = false)
    {
        block.AsSpan(148, 8).Fill((byte)' ');
        var sum = block.Sum(value => signed ? (sbyte)value : value);
        Latin1(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 ").CopyTo(block, 148);
    }
}
