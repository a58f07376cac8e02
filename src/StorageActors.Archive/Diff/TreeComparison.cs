using Microsoft.Win32.SafeHandles;
using StorageActors.Archive.Apply;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Archive.Diff;

/// <summary>
/// Compares two trees as they are seen through a mount, name by name in the order of bytes. A directory in which something changed is itself a change, so
/// that its attributes come back with an archive; a subtree that is gone is one deletion.
/// </summary>
/// <remarks>The newer tree may be in use: what goes while it is looked at has gone. Times are compared to the nanosecond, and where they are the same, the content decides: programs put times back, and archives cut them.</remarks>
internal sealed class TreeComparison(IWhiteoutFormat format, CancellationToken stop, bool readsContent = true)
{
    private const int BufferSize = 256 << 10;

    private readonly Archive.Tar.ByteBuffer _scratch = new();
    private readonly SameBlocks _blocks = new();
    private readonly List<(byte[] Path, ChangeKind Kind)> _changes = [];
    private readonly Stack<Level> _levels = new();

    /// <summary>The changes from <paramref name="old"/> (null: nothing) to <paramref name="now"/>, parents before children.</summary>
    internal List<(byte[] Path, ChangeKind Kind)> Compare(SafeFileHandle? old, SafeFileHandle now)
    {
        using var left = old is null ? null : new DirectoryDescent(old);
        using var right = new DirectoryDescent(now);
        _levels.Push(Level.Of(left, right, []));
        while (_levels.TryPeek(out var level))
        {
            stop.ThrowIfCancellationRequested();
            if (!level.IsDone) Step(left, right, level);
            else Leave(left, right);
        }

        return _changes;
    }

    /// <summary>Whether the roots themselves differ: a tree shows the attributes of its root, too.</summary>
    internal bool HasSameRoot(SafeFileHandle? old, SafeFileHandle now, IdMap ids, uint rootMode)
    {
        var after = Libc.FStat(now);
        return old is null ? (after.Permissions, ids.OwnerOf(after, default)) == (rootMode, (0u, 0u))
            : HasSameAttributes(old, now, "."u8.ToArray(), Libc.FStat(old), after);
    }

    /// <summary>The next name of either side.</summary>
    private void Step(DirectoryDescent? old, DirectoryDescent now, Level level)
    {
        var order = level.Left.Count == level.I ? 1 : level.Right.Count == level.J ? -1 : level.Left[level.I].AsSpan().SequenceCompareTo(level.Right[level.J]);
        if (order < 0)
        {
            _changes.Add((LayerPath.Join(level.Path, level.Left[level.I++]), ChangeKind.Deleted));
            return;
        }

        var name = level.Right[level.J++];
        var path = LayerPath.Join(level.Path, name);
        if (order == 0) level.I++;
        try
        {
            if (order > 0) AddAll(now, name, path, Libc.FStatAt(now.Current, name), ChangeKind.Added);
            else Compare(old!, now, name, path);
        }
        catch (LinuxException e) when (e.Errno == Errno.ENOENT)
        {
            if (order == 0) _changes.Add((path, ChangeKind.Deleted));
        }
    }

    /// <summary>A name that both sides have.</summary>
    private void Compare(DirectoryDescent old, DirectoryDescent now, byte[] name, byte[] path)
    {
        var after = Libc.FStatAt(now.Current, name);
        var before = Libc.FStatAt(old.Current, name);
        if (!after.IsDirectory)
        {
            if (!IsSame(old.Current, now.Current, name, before, after)) _changes.Add((path, ChangeKind.Changed));
        }
        else if (!before.IsDirectory)
        {
            AddAll(now, name, path, after, ChangeKind.Changed);
        }
        else
        {
            now.Enter(name);
            old.Enter(name);
            _levels.Push(Level.Of(old, now, path) with { Pair = new Pair(name, before, after, _changes.Count) });
        }
    }

    /// <summary>All of a side that the other has nothing of.</summary>
    private void AddAll(DirectoryDescent now, byte[] name, byte[] path, in FileStatus status, ChangeKind kind)
    {
        if (status.IsDirectory) now.Enter(name);
        _changes.Add((path, kind));
        if (status.IsDirectory) _levels.Push(Level.Of(null, now, path));
    }

    /// <summary>A directory is done; that something in it changed is a change of it.</summary>
    private void Leave(DirectoryDescent? old, DirectoryDescent now)
    {
        var level = _levels.Pop();
        if (_levels.Count == 0) return;
        now.Leave();
        if (level.Pair is not { } pair) return;
        old!.Leave();
        if (_changes.Count > pair.Place || !HasSameAttributes(old.Current, now.Current, pair.Name, pair.Before, pair.After))
            _changes.Insert(pair.Place, (level.Path, ChangeKind.Changed));
    }

    private bool IsSame(SafeFileHandle old, SafeFileHandle now, byte[] name, in FileStatus before, in FileStatus after)
    {
        if (before.Type != after.Type || before.Size != after.Size || before.Device != after.Device || before.ModifyTime != after.ModifyTime) return false;
        // The same inode of a layer that both stacks have: only its owner's change of it would move the time of change.
        if (before.Inode == after.Inode && before.ChangeTime == after.ChangeTime) return true;
        if (!HasSameAttributes(old, now, name, before, after)) return false;
        if (before.IsSymbolicLink) return Libc.ReadlinkAt(old, name).AsSpan().SequenceEqual(Libc.ReadlinkAt(now, name));
        // Times are no proof: a program may set them, and an archive cuts them.
        return !before.IsRegular || !readsContent || HasSameContent(old, now, name);
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

    /// <summary>A directory that both sides have, and where its own change would stand in the list.</summary>
    private sealed record Pair(byte[] Name, FileStatus Before, FileStatus After, int Place);

    /// <summary>A directory that the comparison is in, and how far it has come.</summary>
    private sealed record Level(byte[] Path, List<byte[]> Left, List<byte[]> Right)
    {
        /// <summary>Null for the root, and for what only one side has.</summary>
        internal Pair? Pair { get; init; }

        internal int I { get; set; }

        internal int J { get; set; }

        internal bool IsDone => I == Left.Count && J == Right.Count;

        internal static Level Of(DirectoryDescent? old, DirectoryDescent now, byte[] path) =>
            new(path, old is null ? [] : SortedDirectory.Read(old.Current), SortedDirectory.Read(now.Current));
    }
}
