using Microsoft.Win32.SafeHandles;
using StorageActors.Linux;

namespace StorageActors.Drivers.Overlay;

/// <summary>
/// Descriptors of directories that lie right in a layer's, kept open from one mount to the next: a stack of a hundred layers is otherwise opened and closed for each, which
/// takes a quarter of the mount. Bounded; the one that was not used for longest is closed first. Safe to use from many threads.
/// <para>
/// A kept descriptor follows its directory wherever that is moved. So the directory around it, the layer's, is watched: whoever renames or removes that, or anything in it, the kernel
/// tells, and one question is enough for all layers of a stack. Where it gives no watch, and before the second use (a process that mounts once need not wait for the end of a watch),
/// each use asks whether the directory around is as it was when it was opened: after any of these it has another change time. A layer that changed in the last moments is not kept, since
/// file systems count time in steps of up to two seconds, and two changes within one step look alike.
/// </para>
/// </summary>
/// <param name="open">Opens a directory by its path.</param>
/// <param name="maximum">The most that are open at a time.</param>
/// <param name="time">Says what time it is.</param>
/// <param name="watch">Makes the watch, when it is wanted; null from it where there is none.</param>
internal sealed class LayerHandles(Func<string, SafeFileHandle> open, int maximum, TimeProvider time, Func<NameWatch?> watch) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, LinkedListNode<Kept>> _kept = [];
    private readonly LinkedList<Kept> _byUse = new();   // the latest first
    private readonly Dictionary<int, int> _watched = [];   // how many are kept for each directory that is watched
    private readonly HashSet<int> _changed = [];
    private NameWatch? _watch;
    private bool _hasWatch;
    private bool _isDisposed;

    /// <summary>How many are open.</summary>
    internal int Count
    {
        get
        {
            lock (_gate) return _kept.Count;
        }
    }

    /// <summary>Forgets what has changed: what is taken from now on is what lies there at this moment, or later.</summary>
    internal void Look()
    {
        lock (_gate)
        {
            if (_isDisposed || _watch is null) return;
            var isComplete = _watch.TryRead(_changed);
            if (isComplete && _changed.Count == 0) return;
            foreach (var kept in _byUse.Where(kept => kept.Watch > 0 && (!isComplete || _changed.Contains(kept.Watch))).ToList()) Forget(kept.Path);
            _changed.Clear();
        }
    }

    /// <summary>The directory that lies at a path since the last <see cref="Look"/>. Disposal gives it back, and closes it if it is not kept.</summary>
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
            _watch?.Dispose();
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
        if (maximum == 0 || Libc.TryFStatAt(directory, ".."u8, out var around) != Errno.None || !DirectoryMark.Of(around).IsSettled(now)) return false;
        lock (_gate)
        {
            if (_isDisposed || _kept.ContainsKey(path)) return false;
            Refer(directory);
            _kept.Add(path, _byUse.AddFirst(new Kept(path, directory, DirectoryMark.Of(around))));
            if (_kept.Count <= maximum) return true;
            var oldest = _byUse.Last!;
            _kept.Remove(oldest.Value.Path);
            Close(oldest);
            return true;
        }
    }

    /// <summary>Only with the gate. Zero: it cannot be watched.</summary>
    private int Watch(SafeFileHandle directory)
    {
        if (!_hasWatch) (_watch, _hasWatch) = (watch(), true);
        return _watch?.TryAdd(directory, ".."u8) ?? 0;
    }

    /// <summary>Only with the gate.</summary>
    private void Close(LinkedListNode<Kept> node)
    {
        _byUse.Remove(node);
        node.Value.Directory.Dispose();
        var number = node.Value.Watch;
        if (number <= 0 || --_watched[number] > 0) return;
        _watched.Remove(number);
        if (!_isDisposed) _watch!.Remove(number);
    }

    /// <summary>Whether it is what lies there still; from now on the watch says so, if there can be one.</summary>
    private bool IsUnchanged(Kept kept)
    {
        if (kept.Watch > 0) return true;
        if (kept.Watch == Kept.Unwatchable) return IsAsItWas(kept);
        lock (_gate)
        {
            if (_isDisposed || kept.Watch != Kept.NotWatched || !(_kept.TryGetValue(kept.Path, out var node) && ReferenceEquals(node.Value, kept))) return IsAsItWas(kept);
            var number = Watch(kept.Directory);
            // In this order: what changed after it was opened, and before it was watched.
            var isUnchanged = IsAsItWas(kept);
            if (number == 0)
            {
                kept.Watch = Kept.Unwatchable;
            }
            else if (isUnchanged)
            {
                _watched[number] = _watched.GetValueOrDefault(number) + 1;
                kept.Watch = number;
            }
            else if (!_watched.ContainsKey(number))
            {
                _watch!.Remove(number);
            }

            return isUnchanged;
        }
    }

    private static bool IsAsItWas(Kept kept) =>
        Libc.TryFStatAt(kept.Directory, ".."u8, out var around) == Errno.None && DirectoryMark.Of(around) == kept.Around;

    private static void Refer(SafeFileHandle directory)
    {
        var isAdded = false;
        directory.DangerousAddRef(ref isAdded);
    }

    /// <param name="path">Its path.</param>
    /// <param name="directory">The directory.</param>
    /// <param name="around">The directory around it, as it was.</param>
    private sealed class Kept(string path, SafeFileHandle directory, DirectoryMark around)
    {
        internal const int NotWatched = 0;
        internal const int Unwatchable = -1;

        private volatile int _watch;

        internal string Path => path;

        internal SafeFileHandle Directory => directory;

        internal DirectoryMark Around => around;

        /// <summary>The number under which the directory around it is watched, or one of the above. Set with the gate alone; once it is a number, it stays.</summary>
        internal int Watch
        {
            get => _watch;
            set => _watch = value;
        }
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
