using StorageActors.Linux;

namespace StorageActors.DriverContractTests.Harness;

/// <summary>Steps for a layer that collide a lot: few names, all types, removals. What the specification leaves open is not generated.</summary>
internal sealed class RandomSteps(int seed)
{
    private readonly Random _random = new(seed);

    internal int Next(int below) => _random.Next(below);

    internal T Pick<T>(IReadOnlyList<T> from) => from[_random.Next(from.Count)];

    /// <summary>Steps of a tar on top of a tree.</summary>
    internal IReadOnlyList<FileOp> Tar(TreeModel below)
    {
        var steps = new List<FileOp>();
        var written = new Dictionary<string, FileOp>();
        var implied = new HashSet<string>();
        for (var count = 1 + _random.Next(12); count > 0; count--)
        {
            var path = NewPath();
            var parents = TreeModel.ParentsOf(path).ToList();
            // A name below one that this layer makes a file of, or types that change twice within a layer, have no defined meaning.
            if (parents.Any(parent => written.TryGetValue(parent, out var entry) && entry is not FileOp.MakeDirectory)) continue;
            if (_random.Next(4) == 0)
            {
                // An implied directory has the attributes of one below, so that one must not be hidden.
                if (implied.Any(name => TreeModel.IsAtOrBelow(name, path))) continue;
                if (parents.Any(parent => !written.ContainsKey(parent))) continue;
                var isOpaque = _random.Next(3) == 0 && written.GetValueOrDefault(path) is FileOp.MakeDirectory;
                steps.Add(isOpaque ? new FileOp.Opaque(path) : new FileOp.Remove(path));
                continue;
            }

            var step = Entry(path, [.. written.Values.Where(entry => entry is FileOp.Write).Select(entry => entry.Path)]);
            if (step is FileOp.MakeDirectory && written.TryGetValue(path, out var before) && before is not FileOp.MakeDirectory) continue;
            if (step is not FileOp.MakeDirectory && implied.Any(name => TreeModel.IsAtOrBelow(name, path))) continue;
            foreach (var parent in parents.Where(parent => !written.ContainsKey(parent)).ToList())
            {
                var directory = below.Entries.GetValueOrDefault(parent) as FileOp.MakeDirectory;
                var hides = steps.Any(other => other is FileOp.Remove or FileOp.Opaque && TreeModel.IsAtOrBelow(parent, other.Path));
                if (directory is not null && !hides && _random.Next(2) == 0)
                {
                    implied.Add(parent);
                }
                else
                {
                    directory = new FileOp.MakeDirectory(parent, NewMeta(directory: true));
                    steps.Add(directory);
                }

                written[parent] = directory;
            }

            if (step is not FileOp.MakeDirectory)
            {
                foreach (var name in written.Keys.Where(name => TreeModel.IsAtOrBelow(name, path)).ToList()) written.Remove(name);
            }

            steps.Add(step);
            written[path] = step is FileOp.HardLink ? new FileOp.Write(path, [], Meta.File) : step;
        }

        return steps;
    }

    /// <summary>Writes in a mount of a tree.</summary>
    internal IReadOnlyList<FileOp> Writes(TreeModel tree)
    {
        var steps = new List<FileOp>();
        for (var count = 1 + _random.Next(12); count > 0; count--)
        {
            var now = tree.WithWrites(steps);
            var path = NewPath();
            var there = now.Entries.GetValueOrDefault(path);
            var files = now.Entries.Where(entry => entry.Value is FileOp.Write && !TreeModel.ParentsOf(path).Append(path).Contains(entry.Key)).Select(entry => entry.Key);
            FileOp step = _random.Next(4) switch
            {
                0 when there is not null => new FileOp.Remove(path),
                1 when there is FileOp.MakeDirectory => new FileOp.Opaque(path),
                _ => Entry(path, [.. files]),
            };
            steps.Add(step);
        }

        return steps;
    }

    private FileOp Entry(string path, List<string> files) => _random.Next(9) switch
    {
        0 or 1 => new FileOp.MakeDirectory(path, NewMeta(directory: true)),
        2 => new FileOp.Symlink(path, NewPath(), NewMeta()),
        3 => new FileOp.Node(path, FileType.Fifo, default, NewMeta()),
        4 when files.Any(file => !TreeModel.IsAtOrBelow(file, path)) => new FileOp.HardLink(path, Pick(files.Where(file => !TreeModel.IsAtOrBelow(file, path)).ToList())),
        _ => new FileOp.Write(path, Content(), NewMeta()),
    };

    private byte[] Content()
    {
        var content = new byte[_random.Next(4) == 0 ? _random.Next(100_000) : _random.Next(20)];
        _random.NextBytes(content);
        return content;
    }

    private Meta NewMeta(bool directory = false) => Meta.Of(Pick(directory ? ["755", "700", "1777", "2750"] : (string[])["644", "600", "4711", "0"]),
        (uint)_random.Next(3), (uint)_random.Next(3)).At(1_500_000_000 + _random.Next(1000), 1 + _random.Next(999_999_998));

    private string NewPath()
    {
        var names = Enumerable.Range(0, 1 + _random.Next(3)).Select(_ => Pick(["a", "b", "c"]));
        return string.Join('/', names);
    }
}
