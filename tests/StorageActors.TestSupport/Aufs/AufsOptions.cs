using System.Text;
using StorageActors.Linux;

namespace StorageActors.TestSupport.Aufs;

/// <summary>One branch as an option names it.</summary>
internal sealed record AufsBranch(string Path, bool IsWritable);

/// <summary>An option string, read as the module reads it and as strictly: what it would warn of and go on with is an error here.</summary>
/// <param name="Branches">New branches, in order.</param>
/// <param name="Xino">The file for inode numbers; null when the string does not say.</param>
/// <param name="Dirperm1">Whether permissions of the topmost directory alone count.</param>
internal sealed record AufsOptions(IReadOnlyList<AufsBranch> Branches, string? Xino, bool Dirperm1)
{
    /// <summary>Options of one call: a page of 48 bytes each, less the one that marks the end.</summary>
    private const int Maximum = 84;

    /// <summary>Reads a string; EINVAL for what is not known, E2BIG for too many.</summary>
    internal static Errno TryParse(string data, bool remount, out AufsOptions options)
    {
        var branches = new List<AufsBranch>();
        var (xino, dirperm1, count) = ((string?)null, false, 0);
        options = new AufsOptions(branches, null, false);
        foreach (var option in Split(data))
        {
            if (option.StartsWith("br:", StringComparison.Ordinal) && !remount && count == 0)
            {
                foreach (var branch in option[3..].Split(':'))
                {
                    if (!TryParseBranch(branch, out var parsed)) return Errno.EINVAL;
                    branches.Add(parsed);
                    count++;
                }

                continue;
            }

            count++;
            switch (option)
            {
                case "dio" when !remount:
                    break;
                case "dirperm1" when !remount:
                    dirperm1 = true;
                    break;
                case not null when option.StartsWith("xino=", StringComparison.Ordinal) && !remount:
                    xino = option[5..];
                    break;
                case not null when option.StartsWith("append:", StringComparison.Ordinal) && remount && TryParseBranch(option[7..], out var appended):
                    branches.Add(appended);
                    break;
                default:
                    return Errno.EINVAL;
            }
        }

        options = new AufsOptions(branches, xino, dirperm1);
        return count > Maximum ? Errno.E2BIG : branches.Count == 0 ? Errno.EINVAL : Errno.None;
    }

    /// <summary>A path ends at the first equals sign; nothing is escaped.</summary>
    private static bool TryParseBranch(string text, out AufsBranch branch)
    {
        var parts = text.Split('=', 2);
        branch = new AufsBranch(parts[0], parts[^1] == "rw");
        return parts is [{ Length: > 0 }, "rw" or "ro+wh"];
    }

    /// <summary>At commas; the label, which a security module takes out before the file system sees the string, may have some in quotes.</summary>
    private static IEnumerable<string> Split(string data)
    {
        var option = new StringBuilder();
        var isQuoted = false;
        foreach (var letter in data)
        {
            if (letter == '"') isQuoted = !isQuoted;
            if (letter != ',' || isQuoted)
            {
                option.Append(letter);
                continue;
            }

            yield return option.ToString();
            option.Clear();
        }

        if (!option.ToString().StartsWith("context=", StringComparison.Ordinal)) yield return option.ToString();
    }
}
