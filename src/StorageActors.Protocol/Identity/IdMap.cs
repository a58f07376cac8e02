using System.Globalization;
using System.Text.Json.Serialization;
using StorageActors.Protocol.Identity;

namespace StorageActors.Protocol;

/// <summary>
/// Which users and groups of the host those of a container are, as a user namespace has it. An empty list means that they are the same. Immutable and always
/// valid: no id is in two lines, on either side; no line leaves the range of ids; a list has at most <see cref="MaximumRanges"/> lines. Equal when the same ids
/// are mapped by the same lines, in whatever order they were given.
/// </summary>
[JsonConverter(typeof(IdMapJsonConverter))]
public sealed class IdMap : IEquatable<IdMap>
{
    /// <summary>Most lines of one list; the kernel's limit for a user namespace.</summary>
    public const int MaximumRanges = 340;

    /// <summary>Takes the lines, sorted by the container's ids from now on.</summary>
    /// <param name="uidmap">Users; empty: as on the host.</param>
    /// <param name="gidmap">Groups; empty: as on the host.</param>
    /// <exception cref="FormatException">They make no map; the message says why.</exception>
    public IdMap(IReadOnlyList<IdRange> uidmap, IReadOnlyList<IdRange> gidmap) => (Uidmap, Gidmap) = (Checked(uidmap, "users"), Checked(gidmap, "groups"));

    /// <summary>The container's ids are the host's.</summary>
    public static IdMap Host { get; } = new([], []);

    /// <summary>Users.</summary>
    public IReadOnlyList<IdRange> Uidmap { get; }

    /// <summary>Groups.</summary>
    public IReadOnlyList<IdRange> Gidmap { get; }

    /// <summary>The map of a layer's record: that of a container whose writes it takes, or took before it was sealed. See <see cref="LayerRecord.Uidmap"/>.</summary>
    /// <param name="layer">The record.</param>
    public static IdMap Of(LayerRecord layer)
    {
        ArgumentNullException.ThrowIfNull(layer);
        return layer.Uidmap is null && layer.Gidmap is null ? Host : new IdMap(layer.Uidmap ?? [], layer.Gidmap ?? []);
    }

    /// <summary>The map of a container whose users are mapped, and its groups likewise where nothing is said of them; or the other way round.</summary>
    /// <param name="uidmap">Users.</param>
    /// <param name="gidmap">Groups.</param>
    /// <exception cref="FormatException">They make no map.</exception>
    public static IdMap OfContainer(IReadOnlyList<IdRange> uidmap, IReadOnlyList<IdRange> gidmap)
    {
        ArgumentNullException.ThrowIfNull(uidmap);
        ArgumentNullException.ThrowIfNull(gidmap);
        return new IdMap(uidmap.Count == 0 ? gidmap : uidmap, gidmap.Count == 0 ? uidmap : gidmap);
    }

    /// <summary>Reads lines as commands take them: <c>container:host:size</c>, separated by commas.</summary>
    /// <param name="text">The lines; empty for none.</param>
    /// <exception cref="FormatException">A line is none.</exception>
    public static IReadOnlyList<IdRange> ParseRanges(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.Length == 0 ? [] : [.. text.Split(',').Select(ParseRange)];
    }

    /// <summary>Whether all ids are those of the host.</summary>
    /// <returns>Whether there are no lines.</returns>
    public bool IsHost() => Uidmap.Count == 0 && Gidmap.Count == 0;

    /// <summary>The host's user that a user of the container is; none when it is not in the map.</summary>
    /// <param name="id">The container's.</param>
    public uint? UserToHost(uint id) => ToHost(Uidmap, id);

    /// <summary>The host's group that a group of the container is; none when it is not in the map.</summary>
    /// <param name="id">The container's.</param>
    public uint? GroupToHost(uint id) => ToHost(Gidmap, id);

    /// <summary>The container's user that a user of the host is; none when it is not in the map.</summary>
    /// <param name="id">The host's.</param>
    public uint? UserToContainer(uint id) => ToContainer(Uidmap, id);

    /// <summary>The container's group that a group of the host is; none when it is not in the map.</summary>
    /// <param name="id">The host's.</param>
    public uint? GroupToContainer(uint id) => ToContainer(Gidmap, id);

    /// <inheritdoc/>
    public bool Equals(IdMap? other) =>
        ReferenceEquals(this, other) || (other is not null && Uidmap.SequenceEqual(other.Uidmap) && Gidmap.SequenceEqual(other.Gidmap));

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as IdMap);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (var range in Uidmap) hash.Add(range);
        hash.Add(Uidmap.Count);
        foreach (var range in Gidmap) hash.Add(range);
        return hash.ToHashCode();
    }

    /// <summary>For people: <c>users 0:100000:65536, groups 0:100000:65536</c>, or <c>host ids</c>.</summary>
    public override string ToString() => IsHost() ? "host ids" : $"users {Text(Uidmap)}, groups {Text(Gidmap)}";

    private static string Text(IReadOnlyList<IdRange> ranges) => ranges.Count == 0 ? "as on the host" : string.Join(',', ranges);

    private static uint? ToHost(IReadOnlyList<IdRange> ranges, uint id)
    {
        if (ranges.Count == 0) return id;
        for (var i = 0; i < ranges.Count; i++)
        {
            if (id >= ranges[i].ContainerId && id - ranges[i].ContainerId < ranges[i].Size) return ranges[i].HostId + (id - ranges[i].ContainerId);
        }

        return null;
    }

    private static uint? ToContainer(IReadOnlyList<IdRange> ranges, uint id)
    {
        if (ranges.Count == 0) return id;
        for (var i = 0; i < ranges.Count; i++)
        {
            if (id >= ranges[i].HostId && id - ranges[i].HostId < ranges[i].Size) return ranges[i].ContainerId + (id - ranges[i].HostId);
        }

        return null;
    }

    private static IdRange ParseRange(string line)
    {
        var parts = line.Split(':');
        return parts.Length == 3 && TryRead(parts[0], out var container) && TryRead(parts[1], out var host) && TryRead(parts[2], out var size)
            ? new IdRange(container, host, size)
            : throw new FormatException($"\"{IdText.Printable(line)}\" is no line of a map of ids: container:host:size is, such as 0:100000:65536");
    }

    private static bool TryRead(string text, out uint number) => uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    private static IdRange[] Checked(IReadOnlyList<IdRange>? given, string what)
    {
        ArgumentNullException.ThrowIfNull(given);
        if (given.Count > MaximumRanges) throw new FormatException($"the map of {what} has {given.Count} lines; the kernel takes {MaximumRanges}");
        foreach (var range in given)
        {
            if (range is null || range.Size == 0) throw new FormatException($"the map of {what} has a line {range} without ids");
            // 4294967295 is no id: it means none.
            if (range.ContainerId > uint.MaxValue - range.Size || range.HostId > uint.MaxValue - range.Size)
                throw new FormatException($"the map of {what} has a line {range} that goes beyond the last id, 4294967294");
        }

        var sorted = given.OrderBy(static range => range.ContainerId).ToArray();
        CheckApart(sorted, static range => range.ContainerId, what, "the container");
        CheckApart([.. given.OrderBy(static range => range.HostId)], static range => range.HostId, what, "the host");
        return sorted;
    }

    private static void CheckApart(IdRange[] sorted, Func<IdRange, uint> start, string what, string side)
    {
        for (var i = 1; i < sorted.Length; i++)
        {
            if (start(sorted[i]) - start(sorted[i - 1]) < sorted[i - 1].Size)
                throw new FormatException($"the map of {what} has ids of {side} twice: in {sorted[i - 1]} and {sorted[i]}");
        }
    }
}
