using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using StorageActors.Linux;

namespace StorageActors.DriverContractTests.Harness;

/// <summary>
/// What a layer must show, by the rules alone: no disk, no driver. Immutable. Hard links are left out, since writing to one name of a file of a layer
/// below rightly parts it from the others.
/// </summary>
internal sealed class TreeModel
{
    private readonly SortedDictionary<string, FileOp> _entries;

    private TreeModel(SortedDictionary<string, FileOp> entries) => _entries = entries;

    internal static TreeModel Empty { get; } = new(New());

    internal IReadOnlyDictionary<string, FileOp> Entries => _entries;

    /// <summary>This, with a layer above that is made of a tar of these steps.</summary>
    internal TreeModel WithTar(IReadOnlyList<FileOp> steps)
    {
        var layer = New();
        var hidden = new HashSet<string>();
        var opaque = new HashSet<string>();
        foreach (var step in steps)
        {
            switch (step)
            {
                case FileOp.Remove:
                    hidden.Add(step.Path);
                    break;
                case FileOp.Opaque:
                    opaque.Add(step.Path);
                    Imply(layer, step.Path);
                    layer.TryAdd(step.Path, DirectoryBelow(step.Path));
                    break;
                default:
                    Imply(layer, step.Path);
                    if (!(step is FileOp.MakeDirectory && layer.GetValueOrDefault(step.Path) is FileOp.MakeDirectory)) RemoveTree(layer, step.Path);
                    layer[step.Path] = step is FileOp.HardLink link ? Target(layer, link) : step;
                    break;
            }
        }

        var merged = New();
        foreach (var (path, entry) in _entries)
        {
            if (!hidden.Any(name => IsAtOrBelow(path, name)) && !opaque.Any(name => IsBelow(path, name))
                && !layer.Any(above => above.Value is not FileOp.MakeDirectory && IsAtOrBelow(path, above.Key))
                && !layer.Any(above => _entries.GetValueOrDefault(above.Key) is not FileOp.MakeDirectory && IsAtOrBelow(path, above.Key)))
            {
                merged[path] = entry;
            }
        }

        foreach (var (path, entry) in layer) merged[path] = entry;
        return new TreeModel(merged);
    }

    /// <summary>This, after the steps were done in a mount.</summary>
    internal TreeModel WithWrites(IReadOnlyList<FileOp> steps)
    {
        var tree = new SortedDictionary<string, FileOp>(_entries, StringComparer.Ordinal);
        foreach (var step in steps)
        {
            switch (step)
            {
                case FileOp.Remove:
                    RemoveTree(tree, step.Path);
                    break;
                case FileOp.Opaque:
                    var kept = tree[step.Path];
                    RemoveTree(tree, step.Path);
                    tree[step.Path] = kept;
                    break;
                default:
                    foreach (var parent in ParentsOf(step.Path))
                    {
                        if (tree.GetValueOrDefault(parent) is FileOp.MakeDirectory) continue;
                        RemoveTree(tree, parent);
                        tree[parent] = new FileOp.MakeDirectory(parent, Meta.Directory);
                    }

                    var entry = step is FileOp.HardLink link ? Named(tree[link.Target], link.Path) : step;
                    if (!(step is FileOp.MakeDirectory && tree.GetValueOrDefault(step.Path) is FileOp.MakeDirectory)) RemoveTree(tree, step.Path);
                    tree[step.Path] = entry;
                    break;
            }
        }

        return new TreeModel(tree);
    }

    /// <summary>As <see cref="StorageActors.TestSupport.TreeSnapshot"/> writes it, without the root.</summary>
    internal IEnumerable<string> Lines(bool times) => _entries.Select(entry => Line(entry.Key, entry.Value, times));

    /// <summary>The changes from another tree to this one.</summary>
    internal IReadOnlyList<string> ChangesFrom(TreeModel other)
    {
        var kinds = new SortedDictionary<string, char>(StringComparer.Ordinal);
        foreach (var (path, entry) in _entries)
        {
            if (!other._entries.TryGetValue(path, out var old)) kinds[path] = 'A';
            else if (Line(path, entry, times: true) != Line(path, old, times: true)) kinds[path] = 'C';
        }

        foreach (var path in other._entries.Keys)
        {
            // What lies in a deleted directory, or in one that something else took the place of, is not listed.
            if (!_entries.ContainsKey(path) && ParentsOf(path).All(parent => _entries.GetValueOrDefault(parent) is FileOp.MakeDirectory)) kinds[path] = 'D';
        }

        foreach (var path in kinds.Keys.ToList())
        {
            foreach (var parent in ParentsOf(path)) kinds.TryAdd(parent, 'C');
        }

        return kinds.Select(kind => $"{kind.Value} /{kind.Key}").ToList();
    }

    internal static IEnumerable<string> ParentsOf(string path)
    {
        for (var slash = path.IndexOf('/'); slash > 0; slash = path.IndexOf('/', slash + 1)) yield return path[..slash];
    }

    internal static bool IsAtOrBelow(string path, string directory) => path == directory || IsBelow(path, directory);

    private static bool IsBelow(string path, string directory) => path.StartsWith(directory + "/", StringComparison.Ordinal);

    private void Imply(SortedDictionary<string, FileOp> layer, string path)
    {
        foreach (var parent in ParentsOf(path)) layer.TryAdd(parent, DirectoryBelow(parent));
    }

    private FileOp DirectoryBelow(string path) =>
        _entries.GetValueOrDefault(path) is FileOp.MakeDirectory below ? below : new FileOp.MakeDirectory(path, Meta.Directory);

    private FileOp Target(SortedDictionary<string, FileOp> layer, FileOp.HardLink link) => Named(layer.GetValueOrDefault(link.Target) ?? _entries[link.Target], link.Path);

    private static FileOp Named(FileOp entry, string path) => entry with { Path = path };

    private static void RemoveTree(SortedDictionary<string, FileOp> tree, string path)
    {
        foreach (var name in tree.Keys.Where(name => IsAtOrBelow(name, path)).ToList()) tree.Remove(name);
    }

    private static SortedDictionary<string, FileOp> New() => new(StringComparer.Ordinal);

    private static string Line(string path, FileOp entry, bool times)
    {
        var line = new StringBuilder("./").Append(path);
        var meta = entry switch
        {
            FileOp.Write write => write.Meta,
            FileOp.MakeDirectory directory => directory.Meta,
            FileOp.Symlink link => link.Meta,
            FileOp.Node node => node.Meta,
            _ => throw new InvalidOperationException($"{entry} is no entry"),
        };
        line.Append(entry switch { FileOp.Write => " file", FileOp.MakeDirectory => " dir", FileOp.Symlink => " link", _ => " fifo" });
        if (entry is not FileOp.Symlink) line.Append(' ').Append(Convert.ToString(meta.Mode, 8).PadLeft(4, '0'));
        line.Append(CultureInfo.InvariantCulture, $" {meta.Uid}:{meta.Gid}");
        if (entry is FileOp.Write file) line.Append(CultureInfo.InvariantCulture, $" {file.Content.Length}");
        if (entry is FileOp.Symlink symlink) line.Append(" -> ").Append(symlink.Target);
        if (times && entry is not FileOp.MakeDirectory) line.Append(CultureInfo.InvariantCulture, $" mtime={meta.Mtime.Seconds}.{meta.Mtime.Nanoseconds:D9}");
        if (entry is FileOp.Write content) line.Append(" sha256=").Append(Convert.ToHexStringLower(SHA256.HashData(content.Content)));
        return line.ToString();
    }
}
