using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;
using StorageActors.Archive.Digests;
using StorageActors.Linux;
using StorageActors.Records;
using StorageActors.Store;

namespace StorageActors.Recovery;

/// <summary>
/// Which names the largest directories of a store had when an engine stopped, so that the next start need not list ten thousand of them to learn that they are the same. It stands in a file of its
/// own, <c>names</c>, which says nothing about the store: only that a directory whose times are those had these names. Who finds that it does not fit lists the names, as without the file.
/// <para>
/// When a name comes or goes, the file system sets both times of the directory to that moment. So before the names are counted the modification time is set to what it is, which moves the change
/// time alone. From then on the two differ, and whatever comes after makes them equal or moves the change time on: a clock whose ticks are coarse cannot hide it, nor one that is set back, and it
/// does not matter which process it was. A copy of the directory is another inode. What repairs a file system sets no times; it does so while it is not mounted, and the mount after it is another one. After a
/// power cut, when a disk may have one without the other, the machine has booted anew, or the disk that comes back is another mount.
/// </para>
/// </summary>
internal sealed class SeenNames
{
    private const int LongestFile = 4096;
    private const uint OwnerOnly = 0x180; // 0600

    private readonly string _root;
    private readonly Dictionary<string, Seen> _seen;

    private SeenNames(string root, Dictionary<string, Seen> seen) => (_root, _seen) = (root, seen);

    /// <summary>Whether a name counts.</summary>
    internal delegate bool Counts(ReadOnlySpan<byte> name);

    private static ReadOnlySpan<byte> FileName => "names"u8;

    /// <summary>What was noted in this boot; nothing when the file is not there, or not whole.</summary>
    internal static SeenNames Read(StoreLayout layout) => new(layout.Root, TryRead(layout.Root));

    /// <summary>Notes the names of directories, unless what stands there fits them. Only the store's owner may do so, when nothing changes it any more. Best effort.</summary>
    /// <param name="layout">The store.</param>
    /// <param name="directories">Paths below its root, and which of their names count.</param>
    internal static void Note(StoreLayout layout, IReadOnlyList<(string Path, Counts Counts)> directories)
    {
        try
        {
            var before = Read(layout);
            if (directories.All(directory => before.Of(directory.Path) is not null)) return;
            var text = new StringBuilder(ProcFs.BootId()).Append('\n');
            foreach (var (path, counts) in directories)
            {
                if (See(path, counts) is { } seen) text.Append(CultureInfo.InvariantCulture, $"{Path.GetRelativePath(layout.Root, path)} {seen.Directory} {seen.Names.Count} {seen.Names.Sum:x16}\n");
            }

            using var root = Libc.OpenDirectory(layout.Root);
            using var file = Libc.OpenAt(root, FileName, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Truncate | OpenFlags.NoFollow | OpenFlags.NonBlocking, OwnerOnly);
            CrashPoint.Reached(CrashPoint.NamesBegun);
            Libc.WriteAll(file, Encoding.UTF8.GetBytes($"{text}{SumOf(text.ToString())}\n")); // Neither atomic nor durable: half of it is nothing.
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The next start lists the names.
        }
    }

    /// <summary>Takes back what was noted: the store is small again. Best effort.</summary>
    internal static void Forget(StoreLayout layout) => Libc.TryUnlinkAt(Libc.CurrentDirectory, Encoding.UTF8.GetBytes(Path.Combine(layout.Root, Encoding.UTF8.GetString(FileName))));

    /// <summary>The names that a directory has now; null when they have to be listed.</summary>
    internal NameSum? Of(string directory) =>
        _seen.TryGetValue(Path.GetRelativePath(_root, directory), out var seen) && Libc.TryStat(directory, out var status, wanted: FileStatus.WantedWithUniqueMount) == Errno.None && Describe(status) == seen.Directory ? seen.Names : null;

    private static Seen? See(string path, Counts counts)
    {
        using var directory = Libc.OpenDirectory(path);
        // Those of which it is known that both times of a directory move with its names.
        if (Libc.FStatFs(directory).Type is not (FsMagic.Ext or FsMagic.Xfs or FsMagic.Btrfs or FsMagic.Tmpfs)) return null;
        if (!Part(directory)) return null;
        var status = Libc.FStat(directory, FileStatus.WantedWithUniqueMount);
        // Where clocks tick in seconds, a time that is set back would be hidden for as long.
        if (status.ModifyTime.Nanoseconds == 0 && status.ChangeTime.Nanoseconds == 0) return null;
        var before = Describe(status);
        var names = NameSum.None;
        using (var reader = new DirectoryReader(directory))
        {
            while (reader.TryRead(out var entry))
            {
                if (counts(entry.Name)) names = names.With(entry.Name);
            }
        }

        return Describe(Libc.FStat(directory, FileStatus.WantedWithUniqueMount)) == before ? new Seen(before, names) : null;
    }

    /// <summary>Makes the two times of a directory differ.</summary>
    private static bool Part(SafeFileHandle directory)
    {
        var modified = Libc.FStat(directory).ModifyTime;
        Libc.FUtimens(directory, TimeSpec.Omit, modified);
        var status = Libc.FStat(directory);
        if (status.ModifyTime != status.ChangeTime) return true;
        // Something came or went at this very moment.
        Libc.FUtimens(directory, TimeSpec.Omit, modified with { Seconds = modified.Seconds - 1 });
        status = Libc.FStat(directory);
        return status.ModifyTime != status.ChangeTime;
    }

    private static string Describe(in FileStatus status) => string.Create(
        CultureInfo.InvariantCulture,
        $"{status.FileSystem.Major}:{status.FileSystem.Minor} {status.MountId} {status.Inode} {status.Links} {status.ModifyTime.Seconds}.{status.ModifyTime.Nanoseconds:D9} {status.ChangeTime.Seconds}.{status.ChangeTime.Nanoseconds:D9}");

    private static Dictionary<string, Seen> TryRead(string root)
    {
        try
        {
            using var directory = Libc.OpenDirectory(root);
            return AtomicFile.Read(directory, FileName, LongestFile) is { } bytes ? Parse(Encoding.UTF8.GetString(bytes)) : [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException or OverflowException)
        {
            return [];
        }
    }

    /// <summary>The boot, a line for each directory, and the sum of all that.</summary>
    private static Dictionary<string, Seen> Parse(string text)
    {
        var end = text.LastIndexOf('\n', Math.Max(text.Length - 2, 0)) + 1;
        if (text[end..] != SumOf(text[..end]) + "\n") return [];
        var lines = text[..end].Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (lines.Length == 0 || lines[0] != ProcFs.BootId()) return [];
        var seen = new Dictionary<string, Seen>(StringComparer.Ordinal);
        foreach (var line in lines.AsSpan(1))
        {
            if (line.Split(' ') is not [var path, var device, var mount, var inode, var links, var modified, var changed, var count, var sum]) return [];
            var names = new NameSum(int.Parse(count, CultureInfo.InvariantCulture), long.Parse(sum, NumberStyles.HexNumber, CultureInfo.InvariantCulture));
            seen[path] = new Seen($"{device} {mount} {inode} {links} {modified} {changed}", names);
        }

        return seen;
    }

    private static string SumOf(string text) => Crc64.Compute(Encoding.UTF8.GetBytes(text)).ToString("x16", CultureInfo.InvariantCulture);

    private readonly record struct Seen(string Directory, NameSum Names);
}
