using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Drivers.Overlay;

/// <summary>
/// Which mount points of all layers need a closer look at a start. Of a few layers each is asked, by one call from the home and without an object for any. Of many the kernel's table of mounts
/// is read instead, once, which costs as much as there are mounts, not layers; unless there are so many of them that it costs more.
/// </summary>
internal static class MountCandidates
{
    /// <summary>Reading the table costs as much as to look at so many layers.</summary>
    internal const int Many = 256;

    /// <summary>The kernel makes so much of the table in the time that it takes to look at a layer, or less.</summary>
    private const int BytesToALayer = 256;

    private const int LongestId = 128;

    private static ReadOnlySpan<byte> MountPoint => "merged"u8;

    /// <summary>The layers whose mount point is there and not known to be bare.</summary>
    /// <remarks>What cannot be looked at is among them: who looks closer says what is wrong.</remarks>
    internal static IReadOnlyList<LayerId> Find(string home, IReadOnlyList<LayerId> layers)
    {
        using var directory = Libc.OpenDirectory(home);
        return layers.Count >= Many && InTable(directory, layers.Count) is { } mounted ? mounted.Count == 0 ? [] : [.. layers.Where(layer => mounted.Contains(layer.Value))] : Look(directory, layers);
    }

    private static List<LayerId> Look(SafeFileHandle home, IReadOnlyList<LayerId> layers)
    {
        var found = new List<LayerId>();
        Span<byte> name = stackalloc byte[LongestId + 1 + MountPoint.Length];
        for (var i = 0; i < layers.Count; i++)
        {
            var length = Encoding.UTF8.GetBytes(layers[i].Value, name);
            name[length++] = (byte)'/';
            MountPoint.CopyTo(name[length..]);
            var errno = Libc.TryFStatAt(home, name[..(length + MountPoint.Length)], out var status);
            var isBare = errno is Errno.ENOENT or Errno.ENOTDIR || (errno == Errno.None && status is { KnowsMountRoot: true, IsMountRoot: false });
            if (!isBare) found.Add(layers[i]);
        }

        return found;
    }

    /// <summary>
    /// The names of the directories in the home whose mount point is in the table; null when it cannot be told, or not for less than a look at each layer. The table has a mount under the path that
    /// the kernel knows its mount point by, so the home's is asked for, too. A mount that is there all the time is in every reading of it since Linux 5.8, which is when statx began to know mount
    /// points; older kernels are asked one by one.
    /// </summary>
    internal static HashSet<string>? InTable(SafeFileHandle home, int layers)
    {
        if (!Libc.FStat(home).KnowsMountRoot || PathOf(home) is not { } path) return null;
        var (below, behind) = (path + "/", "/" + Encoding.UTF8.GetString(MountPoint));
        if (MountTable.TryReadTargets(Encoding.UTF8.GetBytes(behind), mostLines: layers, mostBytes: (long)layers * BytesToALayer) is not { } targets) return null;
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var target in targets)
        {
            // Also of what was mounted beneath something else: who looks closer sees what is on top.
            if (target.StartsWith(below, StringComparison.Ordinal) && target.Length > below.Length + behind.Length) names.Add(target[below.Length..^behind.Length]);
        }

        return names;
    }

    private static string? PathOf(SafeFileHandle directory)
    {
        using var pin = new HandlePin(directory);
        var link = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"/proc/thread-self/fd/{pin.Descriptor}"));
        if (Libc.TryReadlinkAt(Libc.CurrentDirectory, link, out var target) != Errno.None) return null;
        var path = Encoding.UTF8.GetString(target);
        // Of a directory that is not below this process's root, or whose path is no text, the kernel's words lead elsewhere.
        return Libc.TryStat(path, out var there) == Errno.None && there.IsSameFile(Libc.FStat(directory)) ? path : null;
    }
}
