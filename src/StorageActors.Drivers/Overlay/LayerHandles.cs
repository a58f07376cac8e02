using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using StorageActors.Linux;

namespace StorageActors.Drivers.Overlay;

/// <summary>
/// Descriptors of directories that lie right in a layer's, kept open from one mount to the next: a stack of a hundred layers is otherwise opened and closed for each, which
/// takes a quarter of the mount. Bounded; the one that was not used for longest is closed first. Safe to use from many threads.
/// <para>
/// A kept descriptor follows its directory wherever that is moved. So each use asks whether the directory around it, the layer's, is as it was when it was opened: if that was
/// renamed or removed, or anything in it was replaced, it has another change time. A layer that changed in the last moments is not kept, since file systems count
/// time in steps of up to two seconds, and two changes within one step look alike.
/// </para>
/// </summary>
/// <param name="open">Opens a directory by its path.</param>
/// <param name="maximum">The most that are open at a time.</param>
/// <param name="time">Says what time it is.</param>
internal sealed class LayerHandles(Func<string, SafeFileHandle> open, int maximum, TimeProvider time) : IDisposable
{
    private const long SettledSeconds = 3;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, LinkedListNode<Kept>> _kept = [];
    private readonly LinkedList<Kept> _byUse = new();   // the latest first
    private bool _isDisposed;

    /// <summary>How many are open.</summary>
    internal int Count
    {
        get
        {
            lock (_gate) return _kept.Count;
        }
    }

    /// <summary>The directory that lies at a path now. Disposal gives it back, and closes it if it is not kept.</summary>
    internal Use Take(string path)
    {
        if (Find(path) is { } known)
        {
            if (IsUnchanged(known)) return new Use(known.Directory, isKept: true);
            known.Directory.DangerousRelease();
            Forget(path);
        }

        // The time first: what changes after it, by its own time, is seen to have changed.
        var now = time.GetUtcNow().ToUnixTimeSeconds();
        var directory = open(path);
        return new Use(directory, isKept: Keep(path, directory, now));
    }

    /// <summary>Closes it, or has it closed by who uses it now.</summary>
    internal void Forget(string path)
    {
        lock (_gate)
        {
            if (_kept.Remove(path, out var node)) Close(node);
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
            _kept.Clear();
            while (_byUse.First is { } node) Close(node);
        }
    }

    /// <summary>What is kept, with a reference for whoever asks.</summary>
    private Kept? Find(string path)
    {
        lock (_gate)
        {
            if (!_kept.TryGetValue(path, out var node)) return null;
            _byUse.Remove(node);
            _byUse.AddFirst(node);
            Refer(node.Value.Directory);
            return node.Value;
        }
    }

    /// <summary>Whether it is kept, with a reference for whoever asks.</summary>
    private bool Keep(string path, SafeFileHandle directory, long now)
    {
        if (Libc.TryFStatAt(directory, ".."u8, out var around) != Errno.None || now - around.ChangeTime.Seconds < SettledSeconds) return false;
        lock (_gate)
        {
            if (_isDisposed || maximum == 0 || _kept.ContainsKey(path)) return false;
            Refer(directory);
            _kept.Add(path, _byUse.AddFirst(new Kept(path, directory, Mark.Of(around))));
            if (_kept.Count <= maximum) return true;
            var oldest = _byUse.Last!;
            _kept.Remove(oldest.Value.Path);
            Close(oldest);
            return true;
        }
    }

    /// <summary>Only with the gate.</summary>
    private void Close(LinkedListNode<Kept> node)
    {
        _byUse.Remove(node);
        node.Value.Directory.Dispose();
    }

    private static bool IsUnchanged(Kept kept) =>
        Libc.TryFStatAt(kept.Directory, ".."u8, out var around) == Errno.None && Mark.Of(around) == kept.Around;

    private static void Refer(SafeFileHandle directory)
    {
        var isAdded = false;
        directory.DangerousAddRef(ref isAdded);
    }

    private sealed record Kept(string Path, SafeFileHandle Directory, Mark Around);

    /// <summary>What a directory has that was not changed.</summary>
    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Mark(ulong Inode, uint Links, TimeSpec ChangeTime)
    {
        internal static Mark Of(in FileStatus status) => new(status.Inode, status.Links, status.ChangeTime);
    }

    /// <summary>A directory that is open until this is disposed, whoever forgets it meanwhile.</summary>
    internal readonly struct Use(SafeFileHandle directory, bool isKept) : IDisposable
    {
        internal SafeFileHandle Directory => directory;

        public void Dispose()
        {
            if (isKept) directory.DangerousRelease();
            else directory.Dispose();
        }
    }
}
