using System.Globalization;

namespace StorageActors.UnitTests.Archive.Apply;

/// <summary>One entry of a layer's tar, as a step that both the tar and the model can take.</summary>
internal abstract record LayerStep(string Path)
{
    internal sealed record WriteFile(string Path, string Content, int Mode, int Owner, long Time) : LayerStep(Path);

    internal sealed record MakeDirectory(string Path, int Mode, int Owner, long Time) : LayerStep(Path);

    internal sealed record MakeSymlink(string Path, string Target, int Owner, long Time) : LayerStep(Path);

    internal sealed record MakeLink(string Path, string Target) : LayerStep(Path);

    internal sealed record Hide(string Path) : LayerStep(Path);

    internal sealed record HideChildren(string Path) : LayerStep(Path);

    internal LayerTar AddTo(LayerTar tar) => this switch
    {
        WriteFile it => tar.File(it.Path, it.Content, it.Mode, it.Owner, it.Owner + 1, it.Time),
        MakeDirectory it => tar.Dir(it.Path, it.Mode, it.Owner, it.Owner + 1, it.Time),
        MakeSymlink it => tar.Symlink(it.Path, it.Target, it.Owner, it.Owner + 1, it.Time),
        MakeLink it => tar.Link(it.Path, it.Target),
        Hide => tar.Whiteout(Path),
        _ => tar.Opaque(Path),
    };
}

/// <summary>What the image specification says a stack of layers shows: a plain dictionary, one step after the other.</summary>
internal sealed class LayerModel
{
    private const int Plain = 0x1ed;

    private readonly SortedDictionary<string, Item> _tree = new(StringComparer.Ordinal);
    private readonly HashSet<string> _written = new(StringComparer.Ordinal);
    private readonly HashSet<string> _lowerTargets = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _implied = new(StringComparer.Ordinal);

    internal IReadOnlyCollection<string> Paths => _tree.Keys;

    /// <summary>Lines as a snapshot has them.</summary>
    internal IReadOnlyList<string> Lines => _tree.Select(pair => $"./{pair.Key} {pair.Value}").ToList();

    internal void BeginLayer()
    {
        _written.Clear();
        _implied.Clear();
        _lowerTargets.Clear();
    }

    /// <summary>Regular files and links that a hard link may name: of this layer, or of those below while nothing is hidden.</summary>
    internal IReadOnlyList<string> LinkTargets(bool below) =>
        _tree.Where(pair => !pair.Value.IsDirectory && (below || _written.Contains(pair.Key))).Select(pair => pair.Key).ToList();

    internal bool IsDirectory(string path) => _tree.TryGetValue(path, out var item) && item.IsDirectory;

    /// <summary>Takes a step; false, and nothing done, when no tar may have it here.</summary>
    internal bool TryTake(LayerStep step)
    {
        if (Ancestors(step.Path).Any(path => _written.Contains(path) && !_tree[path].IsDirectory)) return false;
        // A layer that hides what one of its own links names is refused, and not modelled.
        if (step is not LayerStep.MakeDirectory && _lowerTargets.Any(target => IsBelow(target, step.Path))) return false;
        switch (step)
        {
            case LayerStep.Hide:
                if (_written.Contains(step.Path)) HideOld(step.Path);
                else RemoveTree(step.Path);
                return true;
            case LayerStep.HideChildren:
                if (_written.Contains(step.Path) && !_tree[step.Path].IsDirectory) return false;
                MakeParents(step.Path + "/x", time: 0);
                Prune(step.Path);
                return true;
            case LayerStep.MakeDirectory it:
                MakeParents(step.Path, it.Time);
                if (!IsDirectory(step.Path)) RemoveTree(step.Path);
                Put(step.Path, new Item(true, $"dir {Mode(it.Mode)}", it.Owner, it.Time, ""));
                return true;
            case LayerStep.WriteFile it:
                Replace(step.Path, it.Time, new Item(false, $"file {Mode(it.Mode)}", it.Owner, it.Time, $" {it.Content.Length}"));
                return true;
            case LayerStep.MakeSymlink it:
                Replace(step.Path, it.Time, new Item(false, "link", it.Owner, it.Time, $" -> {it.Target}"));
                return true;
            case LayerStep.MakeLink it:
                if (it.Target == it.Path || IsBelow(it.Target, it.Path) || IsBelow(it.Path, it.Target)) return false;
                if (!_written.Contains(it.Target)) _lowerTargets.Add(it.Target);
                Replace(step.Path, LayerTar.Time, _tree[it.Target]);
                return true;
            default:
                throw new ArgumentException("no such step", nameof(step));
        }
    }

    private void Replace(string path, long time, Item item)
    {
        MakeParents(path, time);
        RemoveTree(path);
        Put(path, item);
    }

    private void Put(string path, Item item)
    {
        _tree[path] = item;
        _written.Add(path);
        _implied.Remove(path);
    }

    private void MakeParents(string path, long time)
    {
        foreach (var parent in Ancestors(path))
        {
            if (!_written.Add(parent)) continue;
            _implied[parent] = time;
            if (IsDirectory(parent)) continue;
            RemoveTree(parent);
            _written.Add(parent);
            _implied[parent] = time;
            _tree[parent] = Default(time);
        }
    }

    private void HideOld(string path)
    {
        if (!_tree[path].IsDirectory) return;
        Prune(path);
        if (_implied.TryGetValue(path, out var time)) _tree[path] = Default(time);
    }

    private void Prune(string directory)
    {
        foreach (var path in Below(directory))
        {
            if (!_written.Contains(path)) _tree.Remove(path);
            else if (_implied.TryGetValue(path, out var time)) _tree[path] = Default(time);
        }
    }

    private void RemoveTree(string top)
    {
        foreach (var path in Below(top).Append(top))
        {
            _tree.Remove(path);
            _written.Remove(path);
            _implied.Remove(path);
        }
    }

    private static bool IsBelow(string path, string above) => path.StartsWith(above + "/", StringComparison.Ordinal);

    private List<string> Below(string top) => _tree.Keys.Where(path => path.StartsWith(top + "/", StringComparison.Ordinal)).ToList();

    private static IEnumerable<string> Ancestors(string path)
    {
        for (var slash = path.IndexOf('/', StringComparison.Ordinal); slash > 0; slash = path.IndexOf('/', slash + 1)) yield return path[..slash];
    }

    private static Item Default(long time) => new(true, $"dir {Mode(Plain)}", 0, time, "", OwnGroup: false);

    private static string Mode(int mode) => Convert.ToString(mode, 8).PadLeft(4, '0');

    private sealed record Item(bool IsDirectory, string Words, int Owner, long Time, string More, bool OwnGroup = true)
    {
        public override string ToString() =>
            string.Create(CultureInfo.InvariantCulture, $"{Words} {Owner}:{(OwnGroup ? Owner + 1 : 0)}{More} mtime={Time}.000000000");
    }
}

/// <summary>Random layers over few names, so that everything meets everything.</summary>
internal sealed class RandomLayers(int seed)
{
    private static readonly string[] Names = ["a", "b", "c"];

    private readonly Random _random = new(seed);

    internal LayerModel Model { get; } = new();

    /// <summary>The steps of one more layer; the model has taken them.</summary>
    internal List<LayerStep> Next()
    {
        Model.BeginLayer();
        var steps = new List<LayerStep>();
        var hides = _random.Next(4) > 0;
        var count = _random.Next(1, 14);
        while (steps.Count < count)
        {
            if (Propose(hides) is { } step && Model.TryTake(step)) steps.Add(step);
        }

        return steps;
    }

    internal static byte[] Tar(List<LayerStep> steps)
    {
        var tar = new LayerTar();
        foreach (var step in steps) step.AddTo(tar);
        return tar.ToArray();
    }

    private LayerStep? Propose(bool hides)
    {
        var path = string.Join('/', Enumerable.Range(0, _random.Next(1, 5)).Select(_ => Names[_random.Next(Names.Length)]));
        var (owner, time) = (_random.Next(3), 1_000_000_000 + _random.Next(1_000_000));
        switch (_random.Next(hides ? 12 : 8))
        {
            case <= 2: return new LayerStep.WriteFile(path, new string('x', _random.Next(3) * 700), _random.Next(2) == 0 ? 0x1a4 : 0x9ed, owner, time);
            case <= 4: return new LayerStep.MakeDirectory(path, _random.Next(2) == 0 ? 0x1ed : 0x5c0, owner, time);
            case 5: return new LayerStep.MakeSymlink(path, "nowhere/" + owner, owner, time);
            case 6 or 7:
                var targets = Model.LinkTargets(below: !hides);
                return targets.Count == 0 ? null : new LayerStep.MakeLink(path, targets[_random.Next(targets.Count)]);
            case <= 10: return new LayerStep.Hide(path);
            default: return new LayerStep.HideChildren(path);
        }
    }
}
