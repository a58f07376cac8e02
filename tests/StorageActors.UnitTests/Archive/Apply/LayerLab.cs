using System.Text;
using Microsoft.Win32.SafeHandles;
using StorageActors.Archive.Apply;
using StorageActors.Archive.Diff;
using StorageActors.Archive.TarSplit;
using StorageActors.Linux;
using StorageActors.Protocol;
using StorageActors.TestSupport;

namespace StorageActors.UnitTests.Archive.Apply;

/// <summary>How a stack of layers is made.</summary>
public enum Way
{
    /// <summary>Overlay directories, each extracted when those below are there.</summary>
    Overlay,

    /// <summary>Overlay directories, extracted before those below are known and settled afterwards.</summary>
    Rebased,

    /// <summary>One tree that each layer is applied to.</summary>
    InPlace,
}

/// <summary>Extracts stacks of layers and looks at what comes of them, through the kernel's own overlay where there is one.</summary>
internal sealed class LayerLab : IDisposable
{
    internal const SnapshotParts Everything = SnapshotParts.All;

    private readonly TempDirectory _home;
    private readonly Way _way;
    private readonly List<string> _layers = [];
    private readonly Stack<IDisposable> _opened = new();

    internal LayerLab(Way way = Way.Overlay, TempDirectory? home = null)
    {
        RequiredTiers.SkipUnlessRoot();
        _way = way;
        _home = home ?? new TempDirectory();
    }

    internal IWhiteoutFormat Format => _way == Way.InPlace ? DirectWhiteouts.Instance : OverlayFormat;

    internal static OverlayWhiteouts OverlayFormat { get; } = new(escapes: true);

    /// <summary>What the last extraction returned.</summary>
    internal ExtractResult Last { get; private set; } = null!;

    /// <summary>All warnings so far.</summary>
    internal List<string> Warnings { get; } = [];

    /// <summary>The content directory of a layer, nearest to the base first.</summary>
    internal string DiffOf(int layer) => Path.Combine(_layers[_way == Way.InPlace ? 0 : layer], "diff");

    internal string DirectoryOf(int layer) => _layers[_way == Way.InPlace ? 0 : layer];

    internal LayerLab Add(LayerTar tar) => Add(tar.ToArray());

    internal LayerLab Add(byte[] blob, ExtractOptions? options = null, CancellationToken stop = default) => Add(new MemoryStream(blob), options, stop);

    internal LayerLab Add(Stream blob, ExtractOptions? options = null, CancellationToken stop = default)
    {
        var below = _layers.ToList();
        if (_way != Way.InPlace || _layers.Count == 0) MakeLayer();
        var known = Target(_layers.Count - 1, below);
        var target = _way == Way.Rebased ? known with { Below = null } : known;
        Last = LayerExtractor.Extract(blob, target, options ?? new ExtractOptions(), observer: null, stop, out var deferred);
        Warnings.AddRange(Last.Warnings);
        if (_way == Way.Rebased) Warnings.AddRange(LayerRebase.Settle(deferred, known));
        return this;
    }

    /// <summary>Extracts a layer as if nothing were known of those below, and settles nothing.</summary>
    internal DeferredDecisions AddUnsettled(LayerTar tar, out ExtractTarget target)
    {
        var below = _layers.ToList();
        MakeLayer();
        target = Target(_layers.Count - 1, below);
        LayerExtractor.Extract(new MemoryStream(tar.ToArray()), target with { Below = null }, new ExtractOptions(), observer: null, CancellationToken.None, out var deferred);
        return deferred;
    }

    /// <summary>What lies below a layer.</summary>
    internal ILowerView Below(int layer) => View(_layers.Take(layer).ToList());

    /// <summary>The archive that a layer was made from, put together again and verified.</summary>
    internal byte[] Reassemble(int layer, Digest? expected = null)
    {
        using var output = new MemoryStream();
        ExactDiff.Write(Handle(DiffOf(layer)), Handle(DirectoryOf(layer)), output, expected, CancellationToken.None);
        return output.ToArray();
    }

    /// <summary>What users of the topmost layer see.</summary>
    internal TreeSnapshot See(SnapshotParts parts = Everything)
    {
        if (_way == Way.InPlace) return TreeSnapshot.Capture(DiffOf(0), parts);
        using var mount = Mount(_layers.Count);
        return TreeSnapshot.Capture(mount.Path, parts);
    }

    /// <summary>Paths that users of the topmost layer see, sorted as the snapshot has them.</summary>
    internal IReadOnlyList<string> Names() =>
        See(SnapshotParts.None).Lines.Skip(1).Select(line => line.Split(' ')[0][2..]).ToList();

    /// <summary>The content of a file as users of the topmost layer see it.</summary>
    internal string Read(string path)
    {
        if (_way == Way.InPlace) return File.ReadAllText(Path.Combine(DiffOf(0), path));
        using var mount = Mount(_layers.Count);
        return File.ReadAllText(Path.Combine(mount.Path, path));
    }

    /// <summary>Mounts the lowest layers read-only.</summary>
    internal Mounted Mount(int count)
    {
        var empty = Path.Combine(_home.Path, "empty");
        Directory.CreateDirectory(empty);
        var lower = string.Join(':', _layers.Take(count).Select((_, i) => DiffOf(i)).Reverse().Append(empty));
        var at = Path.Combine(_home.Path, "merged");
        Directory.CreateDirectory(at);
        Libc.Mount("overlay", at, "overlay", MountFlags.ReadOnly, Encoding.UTF8.GetBytes("lowerdir=" + lower));
        return new Mounted(at);
    }

    internal SafeFileHandle Handle(string path)
    {
        var handle = Libc.OpenDirectory(path);
        _opened.Push(handle);
        return handle;
    }

    public void Dispose()
    {
        foreach (var opened in _opened) opened.Dispose();
        _home.Dispose();
    }

    private ExtractTarget Target(int layer, List<string> below) => new()
    {
        Root = Handle(DiffOf(layer)), LayerDirectory = Handle(DirectoryOf(layer)), Whiteouts = Format, Below = View(below),
    };

    private ILowerView View(List<string> below) =>
        below.Count == 0 || _way == Way.InPlace ? EmptyLowerView.Instance
            : new StackedLowerView(Enumerable.Reverse(below).Select(path => Handle(Path.Combine(path, "diff"))).ToList(), Format);

    private void MakeLayer()
    {
        var path = Path.Combine(_home.Path, "layer" + _layers.Count);
        Libc.Mkdir(path, 0x1c0);
        Libc.Mkdir(Path.Combine(path, "diff"), 0x1ed);
        _layers.Add(path);
    }

    /// <summary>A mount that goes with its object.</summary>
    internal sealed class Mounted(string path) : IDisposable
    {
        internal string Path { get; } = path;

        /// <summary>A child process that another test starts holds every descriptor of this one until it runs its program: the mount may be busy for that long.</summary>
        public void Dispose()
        {
            if (Libc.TryUmount2(Path) != Errno.None) Libc.TryUmount2(Path, UnmountFlags.Detach);
        }
    }
}
