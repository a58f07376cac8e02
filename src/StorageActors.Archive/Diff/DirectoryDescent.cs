using Microsoft.Win32.SafeHandles;
using StorageActors.Linux;

namespace StorageActors.Archive.Diff;

/// <summary>
/// Where a walk through a tree is: a list of the directories between the root and there, not a recursion, with a bounded number of them open. A directory
/// that was closed meanwhile is opened again, through "..", when the walk comes back to it.
/// </summary>
internal sealed class DirectoryDescent : IDisposable
{
    /// <summary>Directories above the current one that stay open.</summary>
    private const int OpenAncestors = 32;

    private readonly List<(SafeFileHandle Directory, FileStatus Status)> _levels = [];
    private int _open;

    /// <param name="root">The tree's root; stays the caller's.</param>
    internal DirectoryDescent(SafeFileHandle root) => Add(Libc.OpenDirectoryAt(root, "."u8));

    /// <summary>The most directories that were open at a time.</summary>
    internal int MostOpen { get; private set; }

    /// <summary>The directory where the walk is.</summary>
    internal SafeFileHandle Current => _levels[^1].Directory;

    /// <summary>The directory above it.</summary>
    internal SafeFileHandle Parent => _levels[^2].Directory;

    /// <summary>Its attributes, as they were when it was entered.</summary>
    internal ref readonly FileStatus Status => ref System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_levels)[^1].Status;

    /// <summary>Goes down into a directory of the current one.</summary>
    internal void Enter(ReadOnlySpan<byte> name)
    {
        var errno = TryEnter(name);
        if (errno != Errno.None) throw Libc.Failure("openat", Current, name, errno);
    }

    /// <summary>The same; stays where it is when there is no such directory.</summary>
    internal Errno TryEnter(ReadOnlySpan<byte> name)
    {
        var errno = Libc.TryOpenAt(Current, name, OpenFlags.Directory | OpenFlags.NoFollow, 0, out var directory);
        if (errno == Errno.None) Add(directory);
        return errno;
    }

    /// <summary>Goes back up.</summary>
    internal void Leave()
    {
        var (child, _) = _levels[^1];
        var (above, status) = _levels[^2];
        if (above.IsClosed)
        {
            // ".." of a child is the parent unless somebody moved the child.
            var directory = Libc.OpenAt(child, ".."u8, OpenFlags.Directory | OpenFlags.NoFollow);
            if (!Libc.FStat(directory).IsSameFile(status))
            {
                directory.Dispose();
                throw Libc.Failure("openat", child, ".."u8, Errno.ESTALE, detail: "the directory was moved while it was being read");
            }

            _levels[^2] = (directory, status);
            _open++;
        }

        child.Dispose();
        _open--;
        _levels.RemoveAt(_levels.Count - 1);
    }

    public void Dispose()
    {
        foreach (var (directory, _) in _levels) directory.Dispose();
    }

    private void Add(SafeFileHandle directory)
    {
        _levels.Add((directory, Libc.FStat(directory)));
        MostOpen = Math.Max(MostOpen, ++_open);
        if (_levels.Count <= OpenAncestors) return;
        var far = _levels[^(OpenAncestors + 1)].Directory;
        if (far.IsClosed) return;
        far.Dispose();
        _open--;
    }
}
