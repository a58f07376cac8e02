using Microsoft.Win32.SafeHandles;
using StorageActors.Archive.Tar;
using StorageActors.Linux;

namespace StorageActors.Drivers.Copying;

/// <summary>
/// One copy under way: a list of the directories between the root and where it is now, not a recursion, with a bounded number of them open. A directory is
/// listed, its files are copied and its subdirectories made; then it goes down into each of those; its attributes come last, when nothing changes in it any more.
/// </summary>
internal sealed class TreeCopier : IDisposable
{
    /// <summary>Directories above the current one that stay open, in both trees; those above are opened again, through "..", on the way back.</summary>
    private const int OpenAncestors = 32;

    /// <summary>Ours alone until its own mode comes.</summary>
    private const uint MeanwhileMode = 0x1C0;

    private readonly SafeFileHandle _source;
    private readonly SafeFileHandle _target;
    private readonly CancellationToken _stop;
    private readonly InodeCopier _inodes;
    private readonly List<Level> _levels = [];
    private readonly ByteBuffer _path = new();
    private long _directories;

    /// <param name="source">The directory to copy; stays the caller's.</param>
    /// <param name="target">An empty directory; stays the caller's.</param>
    /// <param name="exactModes">Whether this thread's umask is 0.</param>
    /// <param name="calls">Answers in the kernel's place; null for the kernel.</param>
    /// <param name="stop">Asked before each name.</param>
    internal TreeCopier(SafeFileHandle source, SafeFileHandle target, bool exactModes, CopyCalls? calls, CancellationToken stop)
    {
        (_source, _target, _stop) = (source, target, stop);
        _inodes = new InodeCopier(target, exactModes, calls, stop);
    }

    /// <summary>The most directories of one tree that were open at a time.</summary>
    internal int MostOpen { get; private set; }

    internal CopyReport Run()
    {
        Enter(_source, _target, "."u8.ToArray());
        while (_levels.Count > 0)
        {
            var level = _levels[^1];
            if (level.Subdirectories.TryPop(out var name)) Enter(level.Source, level.Target, name);
            else Leave();
        }

        return _inodes.Report(_directories);
    }

    public void Dispose()
    {
        foreach (var level in _levels) level.Dispose();
    }

    /// <summary>Reading a directory must not change its time of access: the tree below is somebody else's layer.</summary>
    private static SafeFileHandle OpenSource(SafeFileHandle parent, byte[] name)
    {
        const OpenFlags flags = OpenFlags.Directory | OpenFlags.NoFollow;
        return Libc.TryOpenAt(parent, name, flags | OpenFlags.NoAccessTime, 0, out var directory) == Errno.None ? directory : Libc.OpenAt(parent, name, flags);
    }

    private void Enter(SafeFileHandle aboveSource, SafeFileHandle aboveTarget, byte[] name)
    {
        var above = _levels.Count == 0 ? null : _levels[^1];
        var level = new Level(_path.Length);
        _levels.Add(level);
        level.Open(aboveSource, aboveTarget, name);
        if (above is not null && (level.Status.KnowsMountRoot ? level.Status.IsMountRoot : level.Status.FileSystem != above.Status.FileSystem))
            throw Libc.Failure("openat", level.Source, Errno.EBUSY, detail: "something is mounted here; unmount it first");
        if (_levels.Count > OpenAncestors) _levels[^(OpenAncestors + 1)].Close();
        MostOpen = Math.Max(MostOpen, Math.Min(_levels.Count, OpenAncestors));

        if (above is not null) Append(name);
        else _inodes.Begin(level.Target);
        _directories++;
        _inodes.Between(level.Status, level.Target);
        CopyNames(level);
    }

    private void CopyNames(Level level)
    {
        var length = _path.Length;
        using var reader = new DirectoryReader(level.Source);
        while (reader.TryRead(out var entry))
        {
            _stop.ThrowIfCancellationRequested();
            var type = entry.Type == FileType.Unknown ? Libc.FStatAt(level.Source, entry.Name).Type : entry.Type;
            if (type == FileType.Directory)
            {
                Libc.MkdirAt(level.Target, entry.Name, MeanwhileMode);
                level.Subdirectories.Push(entry.Name.ToArray());
                continue;
            }

            Append(entry.Name);
            if (type == FileType.Regular) _inodes.CopyFile(level.Source, level.Target, entry.Name, _path.Span);
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
    private sealed class Level(int pathBefore) : IDisposable
    {
        private FileStatus _targetStatus;

        /// <summary>How long the path to the directory above is.</summary>
        internal int PathBefore { get; } = pathBefore;

        internal SafeFileHandle Source { get; private set; } = Libc.NoFile;

        internal SafeFileHandle Target { get; private set; } = Libc.NoFile;

        /// <summary>The source's.</summary>
        internal FileStatus Status { get; private set; }

        /// <summary>Those still to be copied; they are made.</summary>
        internal Stack<byte[]> Subdirectories { get; } = new();

        internal bool IsClosed => Target.IsClosed;

        internal void Open(SafeFileHandle aboveSource, SafeFileHandle aboveTarget, byte[] name)
        {
            Source = OpenSource(aboveSource, name);
            Target = Libc.OpenDirectoryAt(aboveTarget, name);
            Status = Libc.FStat(Source);
        }

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
