using Microsoft.Win32.SafeHandles;
using StorageActors.Archive.Apply;
using StorageActors.Archive.Tar;
using StorageActors.Linux;

namespace StorageActors.Drivers.Copying;

/// <summary>
/// One thread's part of a copy: a list of the directories between where it began and where it is now, not a recursion, with a bounded number of them open. A
/// directory is listed, its files are copied and its subdirectories made; then it goes down into each of those, or gives it away; its attributes come last,
/// when no name is made in it any more.
/// </summary>
internal sealed class TreeCopier(CopyTeam team, bool exactModes) : IDisposable
{
    /// <summary>Directories above the current one that stay open, in both trees; those above are opened again, through "..", on the way back.</summary>
    private const int OpenAncestors = 32;

    /// <summary>Ours alone until its own mode comes.</summary>
    private const uint MeanwhileMode = 0x1C0;

    private readonly InodeCopier _inodes = new(team, exactModes);
    private readonly List<Level> _levels = [];
    private readonly ByteBuffer _path = new();
    private long _directories;

    /// <summary>The most directories of one tree that were open at a time.</summary>
    internal int MostOpen { get; private set; }

    /// <summary>Works until all is done.</summary>
    internal void Run()
    {
        while (team.Take() is { } job)
        {
            using (job)
            {
                if (job is CopyDirectory directory) CopyTree(directory);
                else _inodes.Complete((CopyFile)job);
            }
        }

        team.Add(_inodes.Report(_directories));
    }

    public void Dispose()
    {
        foreach (var level in _levels) level.Dispose();
    }

    /// <summary>Reading a directory must not change its time of access: the tree below is somebody else's layer.</summary>
    internal static SafeFileHandle OpenSource(SafeFileHandle parent, ReadOnlySpan<byte> name)
    {
        const OpenFlags flags = OpenFlags.Directory | OpenFlags.NoFollow;
        return Libc.TryOpenAt(parent, name, flags | OpenFlags.NoAccessTime, 0, out var directory) == Errno.None ? directory : Libc.OpenAt(parent, name, flags);
    }

    private void CopyTree(CopyDirectory job)
    {
        _path.Set(job.Path);
        Enter(new Level(0, job.Source, job.Target), job.Above);
        while (_levels.Count > 0)
        {
            var level = _levels[^1];
            if (team.WantsWork) GiveAway();
            if (level.Subdirectories.TryPop(out var name)) Enter(level, name);
            else Leave();
        }
    }

    private void Enter(Level above, byte[] name)
    {
        var before = _path.Length;
        Append(name);
        var source = OpenSource(above.Source, name);
        SafeFileHandle target;
        try
        {
            target = Libc.OpenDirectoryAt(above.Target, name);
        }
        catch
        {
            source.Dispose();
            throw;
        }

        Enter(new Level(before, source, target), above.Status.FileSystem);
    }

    private void Enter(Level level, DeviceNumber? above)
    {
        _levels.Add(level);
        level.Status = Libc.FStat(level.Source);
        if (above is not null && (level.Status.KnowsMountRoot ? level.Status.IsMountRoot : level.Status.FileSystem != above))
            throw Libc.Failure("openat", level.Source, Errno.EBUSY, detail: "something is mounted here; unmount it first");
        if (_levels.Count > OpenAncestors) _levels[^(OpenAncestors + 1)].Close();
        MostOpen = Math.Max(MostOpen, Math.Min(_levels.Count, OpenAncestors));
        _directories++;
        _inodes.Between(level.Status, level.Target);
        CopyNames(level);
    }

    /// <summary>Gives away a directory as near to the root as there is one, so that it is worth the trouble; the last one of where it is now stays.</summary>
    private void GiveAway()
    {
        for (var i = 0; i < _levels.Count; i++)
        {
            var level = _levels[i];
            if (level.IsClosed || level.Subdirectories.Count <= (i == _levels.Count - 1 ? 1 : 0)) continue;
            var name = level.Subdirectories.Pop();
            var path = _path.Span[..(i + 1 < _levels.Count ? _levels[i + 1].PathBefore : _path.Length)];
            var source = OpenSource(level.Source, name);
            try
            {
                team.Give(new CopyDirectory(LayerPath.Join(path, name), source, Libc.OpenDirectoryAt(level.Target, name), level.Status.FileSystem));
            }
            catch
            {
                source.Dispose();
                throw;
            }

            return;
        }
    }

    private void CopyNames(Level level)
    {
        var length = _path.Length;
        using var reader = new DirectoryReader(level.Source);
        while (reader.TryRead(out var entry))
        {
            team.Stop.ThrowIfCancellationRequested();
            var type = entry.Type == FileType.Unknown ? Libc.FStatAt(level.Source, entry.Name).Type : entry.Type;
            if (type == FileType.Directory)
            {
                Libc.MkdirAt(level.Target, entry.Name, MeanwhileMode);
                level.Subdirectories.Push(entry.Name.ToArray());
                continue;
            }

            Append(entry.Name);
            if (type == FileType.Regular) _inodes.CopyRegular(level.Source, level.Target, entry.Name, _path.Span);
            else _inodes.CopyOther(level.Source, level.Target, entry.Name, _path.Span);
            _path.Truncate(length);
        }
    }

    /// <summary>Gives the current directory its attributes, and goes back to the one above.</summary>
    private void Leave()
    {
        var level = _levels[^1];
        _inodes.CompleteDirectory(level.Source, level.Target, level.Status, _path.Span);
        if (_levels.Count > 1 && _levels[^2] is { IsClosed: true } above) above.Reopen(level);
        level.Dispose();
        _path.Truncate(level.PathBefore);
        _levels.RemoveAt(_levels.Count - 1);
    }

    private void Append(ReadOnlySpan<byte> name)
    {
        if (_path.Length > 0) _path.Append((byte)'/');
        _path.Append(name);
    }

    /// <summary>A directory that is being copied, in both trees.</summary>
    private sealed class Level(int pathBefore, SafeFileHandle source, SafeFileHandle target) : IDisposable
    {
        private FileStatus _targetStatus;

        /// <summary>How long the path to the directory above is.</summary>
        internal int PathBefore { get; } = pathBefore;

        internal SafeFileHandle Source { get; private set; } = source;

        internal SafeFileHandle Target { get; private set; } = target;

        /// <summary>The source's.</summary>
        internal FileStatus Status { get; set; }

        /// <summary>Those still to be copied; they are made.</summary>
        internal Stack<byte[]> Subdirectories { get; } = new();

        internal bool IsClosed => Target.IsClosed;

        /// <summary>For a while: see <see cref="Reopen"/>.</summary>
        internal void Close()
        {
            if (!IsClosed) _targetStatus = Libc.FStat(Target);
            Dispose();
        }

        /// <summary>".." of a child is its parent unless somebody moved the child.</summary>
        internal void Reopen(Level child)
        {
            Source = Above(child.Source, Status);
            Target = Above(child.Target, _targetStatus);
        }

        public void Dispose()
        {
            Source.Dispose();
            Target.Dispose();
        }

        private static SafeFileHandle Above(SafeFileHandle child, in FileStatus expected)
        {
            var directory = Libc.OpenAt(child, ".."u8, OpenFlags.Directory | OpenFlags.NoFollow);
            if (Libc.FStat(directory).IsSameFile(expected)) return directory;
            directory.Dispose();
            throw Libc.Failure("openat", child, ".."u8, Errno.ESTALE, detail: "the directory was moved while it was being copied");
        }
    }
}
