using System.Text;
using Microsoft.Win32.SafeHandles;
using StorageActors.Archive.Apply;
using StorageActors.Drivers;
using StorageActors.Linux;
using StorageActors.Protocol;
using StorageActors.TestSupport;

namespace StorageActors.DriverContractTests.Harness;

/// <summary>
/// A store's directory with a driver in it and nothing else: staging, the rename that commits and the one that removes are done here, as the engine does
/// them. Disposal fails when the driver left a descriptor, or takes a sound layer for damaged; the directory's, when it left a mount.
/// </summary>
internal sealed class DriverUnderTest : IDisposable
{
    private readonly Func<string, DriverOptions, ILayerDriver> _open;
    private readonly Dictionary<string, LayerUnderTest> _layers = [];
    private readonly DriverOptions _options;
    private int _tickets;

    internal DriverUnderTest(string root, Func<string, DriverOptions, ILayerDriver> open, int maximumLayers, DriverOptions? options = null)
    {
        (Root, _open, MaximumLayers, _options) = (root, open, maximumLayers, options ?? new DriverOptions());
        Directory.CreateDirectory(root + "/staging", UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute); // A probe may have made it.
        Driver = open(root, _options);
    }

    internal string Root { get; }

    /// <summary>A test has harmed a layer; else each must be what was applied in the end.</summary>
    internal bool IsHarmed { get; set; }

    internal ILayerDriver Driver { get; private set; }

    /// <summary>How many layers one mount takes here.</summary>
    internal int MaximumLayers { get; }

    /// <summary>Where layers are.</summary>
    internal string Home => $"{Root}/{Driver.Name}";

    internal bool Can(DriverCapabilities capability) => Driver.Capabilities.HasFlag(capability);

    internal LayerUnderTest this[string id] => _layers[id];

    internal LayerUnderTest Create(string id, string? parent) => Add(id, parent, writable: false);

    /// <summary>A layer of these bytes.</summary>
    internal LayerUnderTest CreateFrom(string id, string? parent, byte[] tar)
    {
        var layer = Create(id, parent);
        layer.Tar = tar;
        return layer;
    }

    internal LayerUnderTest CreateWritable(string id, string? parent) => Add(id, parent, writable: true);

    /// <summary>One that a container with these ids writes to.</summary>
    internal LayerUnderTest CreateWritable(string id, string? parent, IdMap ids) => Add(id, parent, writable: true, ids);

    /// <summary>Takes back a layer that was described and cannot be made.</summary>
    internal void Forget(string id) => _layers.Remove(id);

    /// <summary>Makes all that was described so far.</summary>
    internal DriverUnderTest Commit()
    {
        foreach (var layer in _layers.Values) layer.Commit();
        return this;
    }

    /// <summary>The engine dies, mounts stay, a new one starts; as another boot if it says so.</summary>
    internal void Restart(string? bootId = null)
    {
        Driver.Dispose();
        Driver = _open(Root, _options with { BootId = bootId });
    }

    internal LayerLocation Locate(LayerUnderTest layer) => new(layer.Id, $"{Home}/{layer.Id}") { Ids = layer.Ids };

    internal LayerLocation Locate(string id) => Locate(_layers[id]);

    /// <summary>The layers below, nearest first.</summary>
    internal IReadOnlyList<LayerLocation> Parents(LayerUnderTest layer)
    {
        var parents = new List<LayerLocation>();
        for (var above = layer.Parent; above is not null; above = above.Parent) parents.Add(Locate(above));
        return parents;
    }

    internal string NewTicket()
    {
        var path = $"{Root}/staging/{++_tickets}/layer";
        Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }

    internal StagedLayer Stage(LayerUnderTest layer) => new(layer.Id, NewTicket(), layer.Writable)
    {
        Parents = layer.LateParents ? null : Parents(layer),
        Ids = layer.Ids,
    };

    /// <summary>All steps from the empty directory to the rename.</summary>
    internal void Make(LayerUnderTest layer, ExtractOptions options)
    {
        var staged = Stage(layer);
        Driver.Begin(staged);
        if (layer.Tar is not null)
        {
            using var blob = new MemoryStream(layer.Tar);
            layer.Result = Driver.Extract(staged, blob, options, observer: null, CancellationToken.None);
            staged.Parents = Parents(layer);
            Driver.Rebase(staged);
        }

        Driver.Finish(staged);
        Rename(staged, layer);
    }

    /// <summary>The commit.</summary>
    internal void Rename(StagedLayer staged, LayerUnderTest layer)
    {
        Directory.Move(staged.Path, Locate(layer).Path);
        Directory.Delete(Path.GetDirectoryName(staged.Path)!);
        layer.Committed = true;
    }

    /// <summary>Removal: retired, renamed away, deleted.</summary>
    internal void Remove(string id)
    {
        var location = Locate(id);
        Patience.With(() => Driver.Retire(location));
        var trash = $"{Root}/trash-{++_tickets}";
        Directory.Move(location.Path, trash);
        using var root = Libc.OpenDirectory(Root);
        DirectoryTree.Remove(root, Encoding.UTF8.GetBytes(Path.GetFileName(trash)));
        _layers.Remove(id);
    }

    internal MountRequest Request(LayerUnderTest layer, MountMode mode, params string[] options) =>
        new(Locate(layer), Parents(layer), mode, options);

    internal ActiveMount Mount(LayerUnderTest layer, MountMode mode, params string[] options) =>
        Patience.With(() => Driver.Mount(Request(layer, mode, options)));

    internal void Unmount(LayerUnderTest layer, bool force = false) => Patience.With(() => Driver.Unmount(Locate(layer), force));

    /// <summary>Mounts for the length of a scope.</summary>
    internal MountScope Mounted(string id, MountMode mode, params string[] options)
    {
        Commit();
        return new MountScope(this, _layers[id], mode, options);
    }

    /// <summary>The same, to look at with the ids of a container.</summary>
    internal MountScope Seen(string id, IdMap ids)
    {
        Commit();
        return new MountScope(this, _layers[id], Request(_layers[id], MountMode.ReadOnly) with { Ids = ids });
    }

    /// <summary>Looks at the layer in a read-only mount.</summary>
    internal T See<T>(string id, Func<string, T> look)
    {
        using var mount = Mounted(id, MountMode.ReadOnly);
        return look(mount.Path);
    }

    internal IReadOnlyList<string> TreeOf(string id, SnapshotParts parts = SnapshotParts.All) =>
        See(id, path => TreeSnapshot.Capture(path, parts, IsImages).Lines);

    /// <summary>All names but the root's, sorted by their bytes; directories end in a slash.</summary>
    internal IReadOnlyList<string> NamesOf(string id) => Names(TreeOf(id, SnapshotParts.None));

    /// <summary>All names that are no directories.</summary>
    internal IReadOnlyList<string> FilesOf(string id) => NamesOf(id).Where(name => name[^1] != '/').ToList();

    internal string ContentOf(string id, string path) => See(id, root => File.ReadAllText($"{root}/{path}", Encoding.Latin1));

    internal DiffRequest Difference(string id, string? from = null, bool exact = false, bool whole = false)
    {
        Commit();
        var layer = _layers[id];
        var other = from is null ? null : _layers[from];
        return new DiffRequest(Locate(layer), Parents(layer), other is null ? null : Locate(other), other is null ? [] : Parents(other), exact, Whole: whole);
    }

    /// <summary>The tar of a difference.</summary>
    internal byte[] Diff(string id, string? from = null, bool exact = false, bool whole = false)
    {
        using var stream = new MemoryStream();
        Driver.WriteDiff(Difference(id, from, exact, whole), stream, CancellationToken.None);
        return stream.ToArray();
    }

    /// <summary>The differences: <c>A /path</c>.</summary>
    internal IReadOnlyList<string> Changes(string id, string? from = null, bool whole = false) =>
        Driver.Changes(Difference(id, from, whole: whole)).Select(change => $"{change.Kind.ToString()[0]} {change.Path}").ToList();

    /// <summary>Seals a writable layer.</summary>
    internal WrittenTar Seal(string id)
    {
        Commit();
        var layer = _layers[id];
        var written = Driver.Seal(Locate(layer), Parents(layer), null, CancellationToken.None);
        layer.Writable = false;
        return written;
    }

    /// <summary>All that differs between the sealed layers and their archives.</summary>
    internal IReadOnlyList<string> Verify() =>
    [
        .. _layers.Values.Where(layer => layer.Committed && !layer.Writable && File.Exists($"{Locate(layer).Path}/tar-split.json.gz"))
            .SelectMany(layer => Driver.Verify(Locate(layer), Parents(layer), full: true, CancellationToken.None).Select(line => $"{layer.Id}: {line}")),
    ];

    public void Dispose()
    {
        var alarms = IsHarmed ? [] : Verify();
        Driver.Dispose();
        if (alarms.Count > 0) throw new InvalidOperationException("verification found what no test did: " + string.Join(", ", alarms));
        var open = Directory.GetFiles("/proc/self/fd").Select(Target).Where(path => path == Root || path.StartsWith(Root + "/", StringComparison.Ordinal)).ToList();
        if (open.Count > 0) throw new InvalidOperationException("descriptors were left open: " + string.Join(", ", open));
    }

    /// <summary>Attributes that an image put there; the label belongs to the machine.</summary>
    private static bool IsImages(string xattr) => !xattr.StartsWith("security.selinux", StringComparison.Ordinal);

    private static List<string> Names(IEnumerable<string> lines) => lines.Skip(1)
        .Select(line => line.Split(' ')).Select(fields => fields[0][2..] + (fields[1] == "dir" ? "/" : "")).ToList();

    private static string Target(string link) =>
        Libc.TryReadlinkAt(Libc.CurrentDirectory, Encoding.ASCII.GetBytes(link), out var target) == Errno.None ? Encoding.UTF8.GetString(target) : "";

    private LayerUnderTest Add(string id, string? parent, bool writable, IdMap? ids = null) =>
        _layers[id] = new LayerUnderTest(this, id, parent is null ? null : _layers[parent], writable) { Ids = ids ?? IdMap.Host };
}

/// <summary>A mount while a test looks at it.</summary>
internal sealed class MountScope : IDisposable
{
    private readonly DriverUnderTest _driver;
    private readonly LayerUnderTest _layer;

    internal MountScope(DriverUnderTest driver, LayerUnderTest layer, MountMode mode, string[] options)
    {
        (_driver, _layer) = (driver, layer);
        Active = driver.Mount(layer, mode, options);
    }

    internal MountScope(DriverUnderTest driver, LayerUnderTest layer, MountRequest request)
    {
        (_driver, _layer) = (driver, layer);
        Active = Patience.With(() => driver.Driver.Mount(request));
    }

    internal ActiveMount Active { get; }

    internal string Path => Active.Path;

    /// <summary>Does steps in it.</summary>
    internal void Do(params FileOp[] steps) => MountedContent.Do(Path, steps);

    public void Dispose() => _driver.Unmount(_layer);
}
