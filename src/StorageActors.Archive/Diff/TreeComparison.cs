using Microsoft.Win32.SafeHandles;
using StorageActors.Archive.Apply;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Archive.Diff;

/// <summary>
/// Compares two trees as they are seen through a mount, name by name in the order of bytes. A directory in which something changed is itself a change, so
/// that its attributes come back with an archive; a subtree that is gone is one deletion.
/// </summary>
/// <remarks>Times are compared to the nanosecond, and where an archive has cut both to seconds, the content decides: an update within the same second is seen.</remarks>
internal sealed class TreeComparison(IWhiteoutFormat format, CancellationToken stop, ContentRule contents = ContentRule.WhenTimesAreWholeSeconds)
{
    private const int BufferSize = 256 << 10;
    private const uint DefaultRootMode = 0x1ED;   // 0755

    private readonly Archive.Tar.ByteBuffer _scratch = new();
    private readonly SameBlocks _blocks = new();
    private readonly List<(byte[] Path, ChangeKind Kind)> _changes = [];

    /// <summary>The changes from <paramref name="old"/> (null: nothing) to <paramref name="now"/>, parents before children.</summary>
    internal List<(byte[] Path, ChangeKind Kind)> Compare(SafeFileHandle? old, SafeFileHandle now)
    {
        using var left = old is null ? null : Libc.OpenDirectoryAt(old, "."u8);
        using var right = Libc.OpenDirectoryAt(now, "."u8);
        CompareChildren(left, right, []);
        return _changes;
    }

    /// <summary>Whether the roots themselves differ: a tree shows the attributes of its root, too.</summary>
    internal bool HasSameRoot(SafeFileHandle? old, SafeFileHandle now)
    {
        var after = Libc.FStat(now);
        return old is null ? (after.Permissions, after.UserId, after.GroupId) == (DefaultRootMode, 0u, 0u)
            : HasSameAttributes(old, now, "."u8.ToArray(), Libc.FStat(old), after);
    }

    private void CompareChildren(SafeFileHandle? old, SafeFileHandle now, byte[] path)
    {
        var (left, right) = (old is null ? [] : SortedDirectory.Read(old), SortedDirectory.Read(now));
        for (int i = 0, j = 0; i < left.Count || j < right.Count;)
        {
            stop.ThrowIfCancellationRequested();
            var order = i == left.Count ? 1 : j == right.Count ? -1 : left[i].AsSpan().SequenceCompareTo(right[j]);
            if (order < 0)
            {
                _changes.Add((LayerPath.Join(path, left[i++]), ChangeKind.Deleted));
            }
            else if (order > 0)
            {
                AddAll(now, right[j], LayerPath.Join(path, right[j]), ChangeKind.Added);
                j++;
            }
            else
            {
                CompareOne(old!, now, left[i], LayerPath.Join(path, left[i]));
                i++;
                j++;
            }
        }
    }

    private void CompareOne(SafeFileHandle old, SafeFileHandle now, byte[] name, byte[] path)
    {
        var (before, after) = (Libc.FStatAt(old, name), Libc.FStatAt(now, name));
        if (!after.IsDirectory)
        {
            if (!IsSame(old, now, name, before, after)) _changes.Add((path, ChangeKind.Changed));
        }
        else if (!before.IsDirectory)
        {
            AddAll(now, name, path, ChangeKind.Changed);
        }
        else
        {
            var place = _changes.Count;
            using (var left = Libc.OpenDirectoryAt(old, name))
            using (var right = Libc.OpenDirectoryAt(now, name)) CompareChildren(left, right, path);
            if (_changes.Count > place || !HasSameAttributes(old, now, name, before, after)) _changes.Insert(place, (path, ChangeKind.Changed));
        }
    }

    private void AddAll(SafeFileHandle directory, byte[] name, byte[] path, ChangeKind kind)
    {
        _changes.Add((path, kind));
        if (!Libc.FStatAt(directory, name).IsDirectory) return;
        using var opened = Libc.OpenDirectoryAt(directory, name);
        foreach (var child in SortedDirectory.Read(opened)) AddAll(opened, child, LayerPath.Join(path, child), ChangeKind.Added);
    }

    private bool IsSame(SafeFileHandle old, SafeFileHandle now, byte[] name, in FileStatus before, in FileStatus after)
    {
        if (before.Type != after.Type || before.Size != after.Size || before.Device != after.Device || before.ModifyTime != after.ModifyTime) return false;
        // The same inode of a layer that both stacks have: only its owner's change of it would move the time of change.
        if (before.Inode == after.Inode && before.ChangeTime == after.ChangeTime) return true;
        if (!HasSameAttributes(old, now, name, before, after)) return false;
        if (before.IsSymbolicLink) return Libc.ReadlinkAt(old, name).AsSpan().SequenceEqual(Libc.ReadlinkAt(now, name));
        var decides = contents == ContentRule.Always || (contents == ContentRule.WhenTimesAreWholeSeconds && before.ModifyTime.Nanoseconds == 0);
        return !before.IsRegular || !decides || HasSameContent(old, now, name);
    }

    private bool HasSameAttributes(SafeFileHandle old, SafeFileHandle now, byte[] name, in FileStatus before, in FileStatus after) =>
        (before.Permissions, before.UserId, before.GroupId) == (after.Permissions, after.UserId, after.GroupId)
        && Attributes(old, name).SequenceEqual(Attributes(now, name), StringComparer.Ordinal);

    private List<string> Attributes(SafeFileHandle directory, byte[] name)
    {
        var found = new List<string>();
        foreach (var attribute in Libc.ListXattrAt(directory, name))
        {
            if (format.OnArchive(attribute, _scratch) is not (XattrRule.Keep or XattrRule.Rename)) continue;
            found.Add(Convert.ToHexString(attribute) + "=" + Convert.ToHexString(Libc.GetXattrAt(directory, name, attribute) ?? []));
        }

        found.Sort(StringComparer.Ordinal);
        return found;
    }

    private bool HasSameContent(SafeFileHandle old, SafeFileHandle now, byte[] name)
    {
        using var left = Libc.OpenAt(old, name, OpenFlags.NoFollow | OpenFlags.NonBlocking);
        using var right = Libc.OpenAt(now, name, OpenFlags.NoFollow | OpenFlags.NonBlocking);
        if (_blocks.AreSame(left, right)) return true;
        var (first, second) = (new byte[BufferSize], new byte[BufferSize]);
        while (true)
        {
            var count = Libc.ReadFully(left, first);
            if (count != Libc.ReadFully(right, second) || !first.AsSpan(0, count).SequenceEqual(second.AsSpan(0, count))) return false;
            if (count == 0) return true;
        }
    }
}

/// <summary>For which files that look the same the content decides.</summary>
internal enum ContentRule
{
    /// <summary>For none: attributes and times are believed.</summary>
    Never,

    /// <summary>For those whose time an archive may have cut.</summary>
    WhenTimesAreWholeSeconds,

    /// <summary>For all.</summary>
    Always,
}
