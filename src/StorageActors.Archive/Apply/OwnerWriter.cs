using System.Globalization;
using Microsoft.Win32.SafeHandles;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Archive.Apply;

/// <summary>
/// Gives inodes their owners, from any thread. A store may tolerate that the kernel refuses one (EPERM to whoever is not root, EINVAL for an id that the user
/// namespace does not have): then the inode stays the process's own.
/// </summary>
/// <param name="isTolerant">Whether it does.</param>
/// <param name="ids">Which ids of the host they are written as; none: as they are.</param>
internal sealed class OwnerWriter(bool isTolerant, IdMap? ids = null)
{
    /// <summary>The one that tolerates nothing, and has nothing to remember.</summary>
    internal static readonly OwnerWriter Exact = new(isTolerant: false);

    private long _refused;

    /// <summary>Which ids of the host those of the container are written as.</summary>
    internal IdMap Ids { get; } = ids ?? IdMap.Host;

    /// <summary>Of an open file or directory.</summary>
    internal void Set(SafeFileHandle file, uint user, uint group)
    {
        (user, group) = Ids.ToHost(user, group);
        var errno = Libc.TryFChown(file, user, group);
        if (errno != Errno.None && !Tolerates(errno)) throw Libc.Failure("fchown", file, errno, detail: Owner(user, group, errno));
    }

    /// <summary>Of a name in a directory, not following a link.</summary>
    internal void Set(SafeFileHandle directory, ReadOnlySpan<byte> name, uint user, uint group)
    {
        (user, group) = Ids.ToHost(user, group);
        var errno = Libc.TryFChownAt(directory, name, user, group);
        if (errno != Errno.None && !Tolerates(errno)) throw Libc.Failure("fchownat", directory, name, errno, detail: Owner(user, group, errno));
    }

    /// <summary>What was refused since the last time that this was asked: a line, or nothing.</summary>
    internal IReadOnlyList<string> TakeWarnings() => Interlocked.Exchange(ref _refused, 0) is var count and > 0
        ? [string.Create(CultureInfo.InvariantCulture, $"owners are not kept: this process may not give files away ({count} inodes)")] : [];

    private static string Owner(uint user, uint group, Errno errno) => string.Create(
        CultureInfo.InvariantCulture, $"owner {user}:{group}{(errno == Errno.EINVAL ? ", of which this user namespace lacks a number" : "")}");

    private bool Tolerates(Errno errno)
    {
        if (!isTolerant || errno is not (Errno.EPERM or Errno.EINVAL)) return false;
        Interlocked.Increment(ref _refused);
        return true;
    }
}
