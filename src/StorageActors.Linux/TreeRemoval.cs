using Microsoft.Win32.SafeHandles;

namespace StorageActors.Linux;

/// <summary>One removal under way: the directories between the start and where it is now, with a bounded number of them open.</summary>
internal sealed class TreeRemoval : IDisposable
{
    /// <summary>Directories above the current one that stay open; the ones above those are opened again, through "..", when it comes back to them.</summary>
    private const int OpenAncestors = 32;

    /// <summary>How often a directory may defy removal, by refilling or by listing what is not there.</summary>
    private const int Patience = 16;

    private readonly SafeFileHandle _start;
    private readonly CancellationToken _stop;
    private readonly List<Level> _levels = [];
    private readonly byte[] _buffer = new byte[64 * 1024];
    private int _open;

    internal TreeRemoval(SafeFileHandle start, CancellationToken stop = default) => (_start, _stop) = (start, stop);

    /// <summary>The most directories that were open at a time.</summary>
    internal int MostOpen { get; private set; }

    private SafeFileHandle Current => _levels.Count == 0 ? _start : _levels[^1].Directory;

    public void Dispose()
    {
        foreach (var level in _levels) level.Directory.Dispose();
    }

    internal void RemoveDirectory(ReadOnlySpan<byte> name)
    {
        if (!Enter(name)) return;
        while (_levels.Count > 0)
        {
            var level = _levels[^1];
            if (level.Subdirectories.TryPop(out var child)) Enter(child);
            else if (!Sweep(level)) Leave();
        }
    }

    /// <summary>Unlinks what is no directory; false when it was gone already.</summary>
    internal bool RemoveLeaf(ReadOnlySpan<byte> name)
    {
        var errno = Libc.TryUnlinkAt(Current, name);
        if (errno is Errno.EPERM or Errno.EACCES)
        {
            Obstacles.Lift(Current, name, errno);
            errno = Libc.TryUnlinkAt(Current, name);
        }
        if (errno is not (Errno.None or Errno.ENOENT)) throw Libc.Failure("unlinkat", Current, name, errno);
        return errno == Errno.None;
    }

    /// <summary>Opens a child directory and makes it the current one; false when it is gone, or was no directory and is gone now.</summary>
    private bool Enter(ReadOnlySpan<byte> name, int attempts = 0)
    {
        var parent = Current;
        const OpenFlags flags = OpenFlags.Directory | OpenFlags.NoFollow;
        var errno = Libc.TryOpenAt(parent, name, flags, 0, out var directory);
        if (errno == Errno.EACCES)
        {
            Libc.FChmodAt(parent, name, 0x1C0);   // ours, but 0000: root of a user namespace is asked for permissions
            errno = Libc.TryOpenAt(parent, name, flags, 0, out directory);
        }
        if (errno == Errno.ENOENT) return false;
        if (errno is Errno.ENOTDIR or Errno.ELOOP)   // replaced by a file or link since it was listed
        {
            RemoveLeaf(name);
            return false;
        }
        if (errno != Errno.None) throw Libc.Failure("openat", parent, name, errno, flags.ToText());

        var status = Libc.FStat(directory);
        var above = _levels.Count == 0 ? Libc.FStat(_start) : _levels[^1].Status;
        var isMount = status.KnowsMountRoot ? status.IsMountRoot : status.FileSystem != above.FileSystem;
        if (isMount)
        {
            directory.Dispose();
            throw Libc.Failure("unlinkat", parent, name, Errno.EBUSY, detail: "something is mounted here; unmount it first");
        }
        _levels.Add(new Level(name.ToArray(), directory, status) { Attempts = attempts });
        MostOpen = Math.Max(MostOpen, ++_open);
        if (_levels.Count > OpenAncestors) Close(_levels[^(OpenAncestors + 1)]);
        return true;
    }

    /// <summary>
    /// Unlinks a buffer full of names and notes the directories among them; false when the directory was empty. One buffer
    /// serves all levels, since it is used up before the first child is entered.
    /// </summary>
    private bool Sweep(Level level)
    {
        if (!level.Progress && ++level.Fruitless > Patience)
        {
            throw Libc.Failure("unlinkat", level.Directory, Errno.ENOTEMPTY, detail: "the names it lists cannot be found in it");
        }
        level.Progress = false;
        // From the start each time: all that was read before is gone.
        Libc.LSeek(level.Directory, 0, SeekFrom.Start);
        var errno = Libc.TryGetDents64(level.Directory, _buffer, out var length);
        if (errno != Errno.None) throw Libc.Failure("getdents64", level.Directory, errno);
        var found = false;
        var records = new DirectoryRecords(_buffer.AsSpan(0, length));
        while (records.TryRead(out var entry))
        {
            _stop.ThrowIfCancellationRequested();
            found = true;
            var type = entry.Type;
            if (type == FileType.Unknown)
            {
                if (Libc.TryFStatAt(level.Directory, entry.Name, out var status) != Errno.None) continue;
                type = status.Type;
            }
            if (type == FileType.Directory) level.Subdirectories.Push(entry.Name.ToArray());
            else level.Progress |= RemoveLeaf(entry.Name);
        }
        return found;
    }

    /// <summary>Removes the current, now empty directory, from its parent, which becomes the current one.</summary>
    private void Leave()
    {
        var level = _levels[^1];
        if (_levels.Count >= 2 && _levels[^2].Directory.IsClosed) Reopen(_levels[^2], level);
        Close(level);
        _levels.RemoveAt(_levels.Count - 1);

        var errno = Libc.TryUnlinkAt(Current, level.Name, AtFlags.RemoveDirectory);
        if (errno is Errno.EPERM or Errno.EACCES)
        {
            Obstacles.Lift(Current, level.Name, errno);
            errno = Libc.TryUnlinkAt(Current, level.Name, AtFlags.RemoveDirectory);
        }
        if (errno == Errno.ENOTEMPTY && level.Attempts < Patience)   // somebody added something
        {
            Enter(level.Name, level.Attempts + 1);
            return;
        }
        if (errno is not (Errno.None or Errno.ENOENT)) throw Libc.Failure("unlinkat", Current, level.Name, errno, "AT_REMOVEDIR");
        if (_levels.Count > 0) _levels[^1].Progress = true;
    }

    /// <summary>".." of a child is the parent unless somebody moved the child: then we must not go on deleting there.</summary>
    private void Reopen(Level parent, Level child)
    {
        var directory = Libc.OpenAt(child.Directory, ".."u8, OpenFlags.Directory | OpenFlags.NoFollow);
        if (!Libc.FStat(directory).IsSameFile(parent.Status))
        {
            directory.Dispose();
            throw Libc.Failure("openat", child.Directory, ".."u8, Errno.ESTALE, detail: "the directory was moved while it was being removed");
        }
        parent.Directory = directory;
        MostOpen = Math.Max(MostOpen, ++_open);
    }

    private void Close(Level level)
    {
        if (level.Directory.IsClosed) return;
        level.Directory.Dispose();
        _open--;
    }

    private sealed class Level(byte[] name, SafeFileHandle directory, FileStatus status)
    {
        internal byte[] Name { get; } = name;
        internal SafeFileHandle Directory { get; set; } = directory;
        internal FileStatus Status { get; } = status;
        internal Stack<byte[]> Subdirectories { get; } = new();

        /// <summary>How often it was empty and then was not.</summary>
        internal int Attempts { get; init; }

        /// <summary>Something was removed since the last sweep.</summary>
        internal bool Progress { get; set; } = true;

        /// <summary>Sweeps that removed nothing.</summary>
        internal int Fruitless { get; set; }
    }
}
