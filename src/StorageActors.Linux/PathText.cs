using System.Buffers;
using System.Globalization;
using System.Text;

namespace StorageActors.Linux;

/// <summary>Names of files are bytes; this is how they are shown to people, and only shown.</summary>
internal static class PathText
{
    /// <summary>Valid UTF-8 as it is; control characters, backslashes and stray bytes as <c>\xNN</c>.</summary>
    internal static string Escape(ReadOnlySpan<byte> name)
    {
        var text = new StringBuilder(name.Length);
        while (!name.IsEmpty)
        {
            var status = Rune.DecodeFromUtf8(name, out var rune, out var length);
            if (status == OperationStatus.Done && !Rune.IsControl(rune) && rune.Value != '\\') text.Append(rune);
            else foreach (var value in name[..length]) text.Append(CultureInfo.InvariantCulture, $"\\x{value:x2}");
            name = name[length..];
        }
        return text.ToString();
    }

    internal static string Join(string directory, ReadOnlySpan<byte> name) =>
        name.IsEmpty ? directory
        : name[0] == '/' || directory.Length == 0 ? Escape(name)
        : directory[^1] == '/' ? directory + Escape(name)
        : directory + "/" + Escape(name);
}
