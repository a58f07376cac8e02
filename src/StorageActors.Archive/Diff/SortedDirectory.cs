using Microsoft.Win32.SafeHandles;
using StorageActors.Archive.Apply;
using StorageActors.Linux;

namespace StorageActors.Archive.Diff;

/// <summary>What a layer says about a name: that it is there, or, as a whiteout, that it is not.</summary>
internal readonly record struct LayerEntry(byte[] Name, FileStatus Status, bool IsWhiteout);

/// <summary>
/// What a listing alone says about a name. A regular file may yet be a whiteout where <see cref="IWhiteoutFormat.MarksAreNames"/> does not hold: its attributes
/// were not asked for.
/// </summary>
internal readonly record struct ListedEntry(byte[] Name, FileType Type, bool IsWhiteout);

/// <summary>
/// The names in a directory, sorted by their bytes: the same tree gives the same archive. A layer that is in use may change meanwhile: a directory that was removed has no
/// names, and a name that went is none.
/// </summary>
internal static class SortedDirectory
{
    internal static List<byte[]> Read(SafeFileHandle directory)
    {
        var names = new List<byte[]>();
        using var reader = new DirectoryReader(directory);
        try
        {
            while (reader.TryRead(out var entry)) names.Add(entry.Name.ToArray());
        }
        catch (LinuxException e) when (e.Errno == Errno.ENOENT)
        {
            names.Clear();
        }

        names.Sort(ByteStringComparer.Order);
        return names;
    }

    /// <summary>The same for a directory of a layer: whiteouts under the names that they hide, and nothing of the union file system's own.</summary>
    internal static List<LayerEntry> Read(SafeFileHandle directory, IWhiteoutFormat format)
    {
        var entries = new List<LayerEntry>();
        foreach (var name in Read(directory))
        {
            if (format.IsHousekeeping(name)) continue;
            var errno = Libc.TryFStatAt(directory, name, out var status);
            if (errno == Errno.ENOENT) continue;
            if (errno != Errno.None) throw Libc.Failure("statx", directory, name, errno);
            var hides = format.IsWhiteout(directory, name, status);
            entries.Add(new LayerEntry(hides ? format.HiddenBy(name).ToArray() : name, status, hides));
        }

        entries.Sort(static (left, right) => ByteStringComparer.Order(left.Name, right.Name));
        return entries;
    }

    /// <summary>The same without the attributes of files and directories, for those who open them anyway.</summary>
    internal static List<ListedEntry> List(SafeFileHandle directory, IWhiteoutFormat format)
    {
        var entries = new List<ListedEntry>();
        using (var reader = new DirectoryReader(directory))
        {
            while (reader.TryRead(out var entry))
            {
                if (!format.IsHousekeeping(entry.Name)) entries.Add(Listed(directory, entry.Name, entry.Type, format));
            }
        }

        entries.Sort(static (left, right) => ByteStringComparer.Order(left.Name, right.Name));
        return entries;
    }

    private static ListedEntry Listed(SafeFileHandle directory, ReadOnlySpan<byte> name, FileType type, IWhiteoutFormat format)
    {
        if (type == FileType.Directory || (type == FileType.Regular && !format.MarksAreNames)) return new ListedEntry(name.ToArray(), type, false);
        var status = Libc.FStatAt(directory, name);
        var hides = format.IsWhiteout(directory, name, status);
        return new ListedEntry((hides ? format.HiddenBy(name) : name).ToArray(), status.Type, hides);
    }
}
