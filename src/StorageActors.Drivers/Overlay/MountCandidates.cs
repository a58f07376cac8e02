using System.Text;
using Microsoft.Win32.SafeHandles;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Drivers.Overlay;

/// <summary>Looks at the mount points of all layers at a start: by one call for each, from the home, and without an object for any.</summary>
internal static class MountCandidates
{
    private const int LongestId = 128;

    /// <summary>So many are looked at sooner than a second thread has begun.</summary>
    private const int LayersToAThread = 1000;

    private const int MaximumThreads = 4;

    /// <summary>The layers whose mount point is there and not known to be bare.</summary>
    /// <remarks>What cannot be looked at is among them: who looks closer says what is wrong.</remarks>
    internal static IReadOnlyList<LayerId> Find(string home, IReadOnlyList<LayerId> layers)
    {
        using var directory = Libc.OpenDirectory(home);
        var parts = Math.Clamp(layers.Count / LayersToAThread, 1, Math.Min(Environment.ProcessorCount, MaximumThreads));
        if (parts == 1) return Find(directory, layers, 0, layers.Count);
        var found = new List<LayerId>[parts];
        Parallel.For(0, parts, part => found[part] = Find(directory, layers, layers.Count * part / parts, layers.Count * (part + 1) / parts));
        return [.. found.SelectMany(static part => part)];
    }

    private static List<LayerId> Find(SafeFileHandle home, IReadOnlyList<LayerId> layers, int from, int to)
    {
        var found = new List<LayerId>();
        var merged = "/merged"u8;
        Span<byte> name = stackalloc byte[LongestId + merged.Length];
        for (var i = from; i < to; i++)
        {
            var length = Encoding.UTF8.GetBytes(layers[i].Value, name);
            merged.CopyTo(name[length..]);
            var errno = Libc.TryFStatAt(home, name[..(length + merged.Length)], out var status);
            var isBare = errno is Errno.ENOENT or Errno.ENOTDIR || (errno == Errno.None && status is { KnowsMountRoot: true, IsMountRoot: false });
            if (!isBare) found.Add(layers[i]);
        }

        return found;
    }
}
