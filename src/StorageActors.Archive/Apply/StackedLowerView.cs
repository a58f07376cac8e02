using Microsoft.Win32.SafeHandles;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Archive.Apply;

/// <summary>
/// What a stack of layers shows, worked out from their directories, as the kernel would from a mount: the nearest layer wins, directories merge down to the first
/// opaque one, a whiteout ends the search.
/// </summary>
/// <remarks>
/// Remembers for each directory that was asked about which layers contribute to it, so a look-up costs one statx for each of those, and none where there is
/// no such directory. Layers below never change, so nothing is ever out of date. Not safe for several threads.
/// </remarks>
/// <param name="rootsNearestFirst">The layers' directories.</param>
/// <param name="format">How they mark what they hide.</param>
/// <param name="idsNearestFirst">Which ids of the host each layer has in its directory; none: all have those of their containers.</param>
internal sealed class StackedLowerView(IReadOnlyList<SafeFileHandle> rootsNearestFirst, IWhiteoutFormat format, IReadOnlyList<IdMap>? idsNearestFirst = null) : ILowerView
{
    private const int MaxRemembered = 16 * 1024;

    private readonly Dictionary<byte[], int[]> _directories = new(ByteStringComparer.Instance);
    private readonly int[] _all = [.. Enumerable.Range(0, rootsNearestFirst.Count)];

    /// <inheritdoc/>
    public LowerEntry? Find(ReadOnlySpan<byte> path)
    {
        if (path.IsEmpty) return rootsNearestFirst.Count == 0 ? null : Entry(0, [], Libc.FStat(rootsNearestFirst[0]));
        foreach (var layer in Contributors(LayerPath.Split(path, out _)))
        {
            if (TryStatus(layer, path, out var status, out var hidden)) return Entry(layer, path.ToArray(), status);
            if (hidden) return null;
        }

        return null;
    }

    private LowerEntry Entry(int layer, byte[] path, in FileStatus status)
    {
        var ids = idsNearestFirst?[layer] ?? IdMap.Host;
        return new LowerEntry(rootsNearestFirst[layer], path, ids.Show(status), ids);
    }

    /// <inheritdoc/>
    public IReadOnlyList<byte[]> List(ReadOnlySpan<byte> directory)
    {
        var seen = new Dictionary<byte[], bool>(ByteStringComparer.Instance);   // name: whether it is visible
        foreach (var layer in Contributors(directory))
        {
            using var opened = Libc.OpenAt2(
                rootsNearestFirst[layer], directory.IsEmpty ? "."u8 : directory, OpenFlags.Directory | OpenFlags.NoFollow,
                ResolveFlags.Beneath | ResolveFlags.NoSymlinks);
            using var reader = new DirectoryReader(opened);
            while (reader.TryRead(out var entry))
            {
                if (format.IsHousekeeping(entry.Name)) continue;
                var mayHide = entry.Type is FileType.CharacterDevice or FileType.Regular or FileType.Unknown;
                var hides = mayHide && format.IsWhiteout(opened, entry.Name, Libc.FStatAt(opened, entry.Name));
                var name = hides ? format.HiddenBy(entry.Name) : entry.Name;
                if (!seen.GetAlternateLookup<ReadOnlySpan<byte>>().ContainsKey(name)) seen.Add(name.ToArray(), !hides);
            }
        }

        var names = new List<byte[]>(seen.Count);
        foreach (var (name, visible) in seen)
            if (visible) names.Add(name);
        names.Sort(ByteStringComparer.Order);
        return names;
    }

    /// <summary>The layers whose directories of that path are merged, nearest first; none when the path is no directory.</summary>
    private int[] Contributors(ReadOnlySpan<byte> directory)
    {
        if (directory.IsEmpty) return _all;   // the kernel merges all roots, opaque or not
        var remembered = _directories.GetAlternateLookup<ReadOnlySpan<byte>>();
        if (remembered.TryGetValue(directory, out var known)) return known;

        var contributors = new List<int>();
        foreach (var layer in Contributors(LayerPath.Split(directory, out _)))
        {
            var found = TryStatus(layer, directory, out var status, out var hidden);
            if (hidden || (found && !status.IsDirectory)) break;
            if (!found) continue;
            contributors.Add(layer);
            if (format.IsOpaque(rootsNearestFirst[layer], directory)) break;
        }

        if (_directories.Count >= MaxRemembered) _directories.Clear();
        return remembered[directory] = [.. contributors];
    }

    private bool TryStatus(int layer, ReadOnlySpan<byte> path, out FileStatus status, out bool hidden)
    {
        hidden = false;
        var errno = Libc.TryFStatAt(rootsNearestFirst[layer], path, out status);
        if (errno == Errno.ENOENT) hidden = format.IsHiddenBeside(rootsNearestFirst[layer], path);
        if (errno is Errno.ENOENT or Errno.ENOTDIR) return false;
        if (errno != Errno.None) throw Libc.Failure("statx", rootsNearestFirst[layer], path, errno);
        hidden = format.IsWhiteout(rootsNearestFirst[layer], path, status);
        return !hidden;
    }
}
