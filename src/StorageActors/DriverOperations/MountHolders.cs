using System.Globalization;
using System.Text;
using StorageActors.Linux;

namespace StorageActors.DriverOperations;

/// <summary>
/// Who keeps a mount busy: processes with a directory, a file or a mapping in it, and mount namespaces with a copy of it. Found by looking through
/// procfs, on demand alone: it costs as much as there are processes.
/// </summary>
internal static class MountHolders
{
    private const int MaximumLines = 100;

    /// <summary>One line for each holder: process, name, what it holds.</summary>
    internal static IReadOnlyList<string> Find(string mountPath)
    {
        var lines = new List<string>();
        var device = Libc.TryStat(mountPath, out var status) == Errno.None && status.IsMountRoot ? status.FileSystem : (DeviceNumber?)null;
        var ownNamespace = LinkTarget("/proc/self/ns/mnt");
        var seenNamespaces = new HashSet<string>(StringComparer.Ordinal);
        foreach (var process in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(process.AsSpan()), NumberStyles.None, CultureInfo.InvariantCulture, out var pid)) continue;
            foreach (var held in HeldBy(process, mountPath)) lines.Add($"{pid} {NameOf(process)}: {held}");
            if (device is { } number && LinkTarget(process + "/ns/mnt") is { } mounts && mounts != ownNamespace && seenNamespaces.Add(mounts))
            {
                foreach (var target in CopiesIn(process, number)) lines.Add($"{pid} {NameOf(process)}: its mount namespace has it at {target}");
            }

            if (lines.Count >= MaximumLines) break;
        }

        return lines;
    }

    private static IEnumerable<string> HeldBy(string process, string mountPath)
    {
        foreach (var (link, word) in new[] { ("cwd", "working directory"), ("root", "root directory"), ("exe", "program") })
        {
            if (IsInside(LinkTarget($"{process}/{link}"), mountPath)) yield return word;
        }

        foreach (var file in Files(process + "/fd"))
        {
            if (LinkTarget(file) is { } target && IsInside(target, mountPath)) yield return $"open file {target}";
        }

        if (Lines(process + "/maps").Any(line => line.Contains(' ' + mountPath + '/', StringComparison.Ordinal))) yield return "mapped file";
    }

    private static IEnumerable<string> CopiesIn(string process, DeviceNumber device)
    {
        string text;
        try
        {
            text = File.ReadAllText(process + "/mountinfo");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }

        return MountTable.Parse(text).Where(entry => entry.FileSystem == device).Select(static entry => entry.Target);
    }

    private static bool IsInside(string? target, string mountPath) =>
        target is not null && target.StartsWith(mountPath, StringComparison.Ordinal) && (target.Length == mountPath.Length || target[mountPath.Length] == '/');

    /// <summary>Processes end while they are looked at, and some are not ours to look at: then there is nothing to say.</summary>
    private static string? LinkTarget(string link) =>
        Libc.TryReadlinkAt(Libc.CurrentDirectory, Encoding.UTF8.GetBytes(link), out var target) == Errno.None ? PathText.Escape(target) : null;

    private static string[] Files(string directory)
    {
        try
        {
            return Directory.GetFileSystemEntries(directory);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static string[] Lines(string file)
    {
        try
        {
            return File.ReadAllLines(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static string NameOf(string process) => Lines(process + "/comm") is [var name, ..] ? name : "?";
}
