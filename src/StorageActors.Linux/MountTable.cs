using System.Globalization;
using System.Text;

namespace StorageActors.Linux;

/// <summary>One line of mountinfo; paths with their octal escapes undone.</summary>
internal sealed record MountEntry(
    int Id, int ParentId, DeviceNumber FileSystem, string Root, string Target, string Options,
    string Type, string Source, string SuperOptions);

/// <summary>
/// The mounts of this namespace, for listing them. Whether one thing is mounted statx answers at once and surely
/// (<see cref="FileStatus.IsMountRoot"/>): a table that is read while others mount and unmount may or may not have what comes and goes meanwhile,
/// and before Linux 5.8 may lack any entry. Since then a mount that stands throughout is in every reading, so that one reading says which of
/// very many things may be mounted.
/// </summary>
internal static partial class MountTable
{
    private const int Attempts = 10;

    /// <summary>Reads until two readings in a row agree, in the kernel's order: later mounts cover earlier ones.</summary>
    internal static IReadOnlyList<MountEntry> Read()
    {
        var text = File.ReadAllText("/proc/thread-self/mountinfo");
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            var again = File.ReadAllText("/proc/thread-self/mountinfo");
            if (string.Equals(again, text, StringComparison.Ordinal)) break;
            text = again;
        }
        return Parse(text);
    }

    /// <summary>The mounts at or below a directory, deepest and latest first: the order in which to unmount them.</summary>
    internal static IReadOnlyList<MountEntry> ReadBelow(string directory)
    {
        var prefix = directory.TrimEnd('/');
        var below = Read().Where(entry =>
            entry.Target == prefix || entry.Target.StartsWith(prefix + "/", StringComparison.Ordinal)).ToList();
        below.Reverse();
        return below;
    }

    /// <summary>Parses mountinfo: id, parent, major:minor, root, target, options, optional fields, a dash, type, source, super options.</summary>
    internal static IReadOnlyList<MountEntry> Parse(string text)
    {
        var entries = new List<MountEntry>();
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var fields = line.Split(' ');
            var dash = Array.IndexOf(fields, "-", 6);
            if (dash < 0 || fields.Length < dash + 4) throw new InvalidDataException($"mountinfo has a line that is none: {line}");
            var device = fields[2].Split(':');
            entries.Add(new MountEntry(
                Number(fields[0]), Number(fields[1]), new DeviceNumber((uint)Number(device[0]), (uint)Number(device[1])),
                Unescape(fields[3]), Unescape(fields[4]), fields[5],
                Unescape(fields[dash + 1]), Unescape(fields[dash + 2]), Unescape(fields[dash + 3])));
        }
        return entries;
    }

    /// <summary>Undoes \040, \011, \012, \134 and \043, which the kernel writes for blanks, tabs, newlines, backslashes and hashes.</summary>
    internal static string Unescape(string field)
    {
        if (!field.Contains('\\', StringComparison.Ordinal)) return field;
        var text = new StringBuilder(field.Length);
        for (var index = 0; index < field.Length; index++)
        {
            if (field[index] == '\\' && index + 3 < field.Length && IsOctal(field[index + 1]) && IsOctal(field[index + 2]) && IsOctal(field[index + 3]))
            {
                text.Append((char)(((field[index + 1] - '0') << 6) | ((field[index + 2] - '0') << 3) | (field[index + 3] - '0')));
                index += 3;
            }
            else
            {
                text.Append(field[index]);
            }
        }
        return text.ToString();
    }

    private static bool IsOctal(char digit) => digit is >= '0' and <= '7';

    private static int Number(string field) => int.Parse(field, CultureInfo.InvariantCulture);
}
