using System.Text;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Drivers.Overlay;

/// <summary>Looks at the mount points of all layers at a start: by one call for each, from the home, and without an object for any.</summary>
internal static class MountCandidates
{
    private const int LongestId = 128;

    /// <summary>The layers whose mount point is there and not known to be bare.</summary>
    /// <remarks>What cannot be looked at is among them: who looks closer says what is wrong.</remarks>
    internal static IReadOnlyList<LayerId> Find(string home, IReadOnlyList<LayerId> layers)
    {
        using var directory = Libc.OpenDirectory(home);
        var found = new List<LayerId>();
        var merged = "/merged"u8;
        Span<byte> name = stackalloc byte[LongestId + merged.Length];
        for (var i = 0; i < layers.Count; i++)
        {
            var length = Encoding.UTF8.GetBytes(layers[i].Value, name);
            merged.CopyTo(name[length..]);
            var errno = Libc.TryFStatAt(directory, name[..(length + merged.Length)], out var status);
            var isBare = errno is Errno.ENOENT or Errno.ENOTDIR || (errno == Errno.None && status is { KnowsMountRoot: true, IsMountRoot: false });
            if (!isBare) found.Add(layers[i]);
        }

        return found;
    }
}
