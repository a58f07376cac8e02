using System.Globalization;
using System.Text;
using StorageActors.Linux;

namespace StorageActors.Drivers.Mounting;

/// <summary>
/// Says who keeps a mount busy: processes with their working or root directory, an open file or a mapping in it, mounts below it, and other
/// mount namespaces that have it. Reads all of procfs, so it is for when an unmount was refused or a person asks, never for the normal way.
/// </summary>
internal static class MountHolders
{
    /// <summary>One line for each holder: who, and what is held. Processes that end meanwhile, and what may not be read, are left out.</summary>
    internal static IReadOnlyList<string> Find(string mountPath)
    {
        if (RealPath(ref mountPath, out var status) != Errno.None) return [];
        var search = new Search(mountPath, status.FileSystem);
        var lines = new List<string>();
        foreach (var below in MountTable.ReadBelow(mountPath))
        {
            if (below.Target != mountPath) lines.Add($"{below.Target} ({below.Type}) is mounted in it");
        }

        foreach (var pid in Processes())
        {
            try
            {
                if (search.Describe(pid) is { } line) lines.Add(line);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
            {
                // It ended while it was being looked at.
            }
        }

        lines.AddRange(search.Namespaces);
        return lines;
    }

    /// <summary>Procfs shows paths without links on the way.</summary>
    private static Errno RealPath(ref string path, out FileStatus status)
    {
        status = default;
        var errno = Libc.TryOpen(path, OpenFlags.Path | OpenFlags.Directory, 0, out var directory);
        using (directory)
        {
            if (errno != Errno.None) return errno;
            status = Libc.FStat(directory);
            using var pin = new HandlePin(directory);
            path = Link($"/proc/self/fd/{pin.Descriptor}");
            return Errno.None;
        }
    }

    private static string Link(string path) =>
        Libc.TryReadlinkAt(Libc.CurrentDirectory, Encoding.ASCII.GetBytes(path), out var target) == Errno.None
            ? Encoding.UTF8.GetString(target) : "";

    private static IEnumerable<int> Processes()
    {
        foreach (var path in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(path.AsSpan()), NumberStyles.None, CultureInfo.InvariantCulture, out var pid)) yield return pid;
        }
    }

    private sealed class Search(string path, DeviceNumber fileSystem)
    {
        private readonly string _prefix = path + "/";
        private readonly string _mapped = $"{fileSystem.Major:x2}:{fileSystem.Minor:x2}";
        private readonly string _ours = Link("/proc/thread-self/ns/mnt");
        private readonly Dictionary<string, HashSet<int>> _mountsOfNamespace = [];

        internal List<string> Namespaces { get; } = [];

        internal string? Describe(int pid)
        {
            var process = $"/proc/{pid}";
            var space = Link(process + "/ns/mnt");
            if (space.Length == 0) return null;   // a kernel thread's, or not ours to read
            var name = CommandOf(process);
            var mounts = MountsIn(space, pid, name);
            if (mounts.Count == 0) return null;

            var held = new List<string>();
            if (IsInside(process + "/cwd", space) is { } directory) held.Add($"works in {directory}");
            if (IsInside(process + "/root", space) is { } root) held.Add($"has {root} as its root");
            var files = OpenFiles(process, mounts);
            if (files.Count > 0) held.Add(files.Count == 1 ? $"has {files[0]} open" : $"has {files[0]} and {files.Count - 1} more open");
            if (Mapped(process) is { } mapped) held.Add($"has {mapped} mapped");
            if (held.Count == 0) return null;
            var where = pid == Environment.ProcessId ? ", the store itself" : space == _ours ? "" : $", in the mount namespace {NumberOf(space)}";
            return $"process {pid} ({name}{where}) {string.Join(", ", held)}";
        }

        /// <summary>The ids under which a namespace has the mount.</summary>
        private HashSet<int> MountsIn(string space, int pid, string name)
        {
            if (_mountsOfNamespace.TryGetValue(space, out var ids)) return ids;
            var entries = MountTable.Parse(File.ReadAllText($"/proc/{pid}/mountinfo")).Where(entry => entry.FileSystem == fileSystem).ToList();
            _mountsOfNamespace[space] = ids = [.. entries.Select(entry => entry.Id)];
            if (entries.Count > 0 && space != _ours)
            {
                Namespaces.Add($"the mount namespace {NumberOf(space)} of process {pid} ({name}) has it at {entries[0].Target}");
            }

            return ids;
        }

        /// <summary>The beginning of its command line; the name of one that has none.</summary>
        private static string CommandOf(string process)
        {
            const int longest = 60;
            var line = File.ReadAllText(process + "/cmdline").TrimEnd('\0');
            if (line.Length == 0) line = File.ReadAllText(process + "/comm").Trim();
            var shown = line.Length <= longest ? line : line[..(longest - 3)] + "...";
            return string.Concat(shown.Select(static c => char.IsControl(c) ? ' ' : c));
        }

        /// <summary>Of <c>mnt:[4026531841]</c>, as <c>lsns</c> lists it.</summary>
        private static string NumberOf(string space) => space.Trim('m', 'n', 't', ':', '[', ']');

        /// <summary>What a link of a process shows, if it lies on the mount.</summary>
        private string? IsInside(string link, string space)
        {
            var target = Link(link);
            if (target.Length == 0) return null;
            // The paths of our own namespace tell by themselves. In another one they are that one's, so the file itself is asked.
            if (space == _ours) return target == path || target.StartsWith(_prefix, StringComparison.Ordinal) ? target : null;
            return Libc.TryStat(link, out var status, AtFlags.None) == Errno.None && status.FileSystem == fileSystem ? target : null;
        }

        private static List<string> OpenFiles(string process, HashSet<int> mounts)
        {
            var files = new List<string>();
            foreach (var info in Directory.EnumerateFiles(process + "/fdinfo"))
            {
                if (!mounts.Contains(MountOf(info))) continue;
                files.Add(Link($"{process}/fd/{Path.GetFileName(info)}"));
            }

            return files;
        }

        private static int MountOf(string info)
        {
            try
            {
                foreach (var line in File.ReadLines(info))
                {
                    if (line.StartsWith("mnt_id:", StringComparison.Ordinal)) return int.Parse(line.AsSpan(7).Trim(), CultureInfo.InvariantCulture);
                }
            }
            catch (IOException)
            {
                // Closed meanwhile.
            }

            return -1;
        }

        /// <summary>The first file of the mount that is mapped: address, permissions, offset, device, inode, path.</summary>
        private string? Mapped(string process)
        {
            foreach (var line in File.ReadLines(process + "/maps"))
            {
                var fields = line.Split(' ', 6, StringSplitOptions.RemoveEmptyEntries);
                if (fields.Length == 6 && (fields[3] == _mapped || fields[5].StartsWith(_prefix, StringComparison.Ordinal))) return fields[5];
            }

            return null;
        }
    }
}
