using System.Text;
using StorageActors.Protocol;

namespace StorageActors.Drivers;

/// <summary>
/// What a mount does to the ids of a directory: from those that files have there to those that are to be seen. The maps are in the form that a user namespace takes,
/// so that equal shifts are equal.
/// </summary>
/// <param name="Uidmap">Lines of an id on disk, the id that is seen, and a number.</param>
/// <param name="Gidmap">The same for groups.</param>
internal sealed record IdShift(string Uidmap, string Gidmap)
{
    private const string Same = "0 0 4294967295\n";

    /// <summary>The kernel takes less than a page for each map.</summary>
    private static readonly int Limit = Environment.SystemPageSize - 1;

    /// <summary>
    /// Shows files that have the host's ids of one map with the host's ids of another: null when there is nothing to be done. Refuses maps that have no id in common, and
    /// those that the kernel has no room for.
    /// </summary>
    /// <param name="stored">Which ids of the host those of the container are on disk.</param>
    /// <param name="shown">Which they are to be.</param>
    internal static IdShift? Between(IdMap stored, IdMap shown) =>
        stored.Equals(shown) ? null : new IdShift(Lines(stored.Uidmap, shown.Uidmap, "users"), Lines(stored.Gidmap, shown.Gidmap, "groups"));

    private static string Lines(IReadOnlyList<IdRange> stored, IReadOnlyList<IdRange> shown, string what)
    {
        if (stored.SequenceEqual(shown)) return Same;
        var text = new StringBuilder();
        var count = 0;
        foreach (var (from, to, size) in stored.Count == 0 ? Forward(shown) : shown.Count == 0 ? Back(stored) : Through(stored, shown))
        {
            text.Append(FormattableString.Invariant($"{from} {to} {size}\n"));
            count++;
        }

        if (count == 0)
            throw DriverErrors.Refuse(StorageErrorCode.InvalidArgument, "mount", $"the maps of {what} of the layer and of the mount have no id in common");
        if (count > IdMap.MaximumRanges || text.Length > Limit)
        {
            throw DriverErrors.Refuse(
                StorageErrorCode.LimitExceeded, "mount",
                FormattableString.Invariant($"the map of {what} is too long for the kernel: {count} lines, {text.Length} bytes, of {IdMap.MaximumRanges} and {Limit}; join its ranges"));
        }

        return text.ToString();
    }

    private static IEnumerable<(uint From, uint To, uint Size)> Forward(IReadOnlyList<IdRange> shown) => shown.Select(static range => (range.ContainerId, range.HostId, range.Size));

    private static IEnumerable<(uint From, uint To, uint Size)> Back(IReadOnlyList<IdRange> stored) => stored.Select(static range => (range.HostId, range.ContainerId, range.Size));

    /// <summary>From the host's ids of one map to the container's, and on to the host's of the other.</summary>
    private static IEnumerable<(uint From, uint To, uint Size)> Through(IReadOnlyList<IdRange> stored, IReadOnlyList<IdRange> shown)
    {
        foreach (var left in stored)
        {
            foreach (var right in shown)
            {
                var first = Math.Max(left.ContainerId, right.ContainerId);
                var end = Math.Min(left.ContainerId + left.Size, right.ContainerId + right.Size);
                if (first < end) yield return (left.HostId + (first - left.ContainerId), right.HostId + (first - right.ContainerId), end - first);
            }
        }
    }
}
