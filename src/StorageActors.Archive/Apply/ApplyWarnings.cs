namespace StorageActors.Archive.Apply;

/// <summary>Collects what could not be kept: each kind once, with how often and where first, and not without end.</summary>
internal sealed class ApplyWarnings
{
    /// <summary>How the line ends that says that not all are listed.</summary>
    internal const string Further = " further warnings";

    /// <summary>Of a device that this process may not make.</summary>
    internal const string DeviceLeftOut = "a device is left out";

    private const int MaxKinds = 64;

    private readonly Dictionary<string, (string Place, long Count)> _kinds = new(StringComparer.Ordinal);
    private readonly List<string> _order = [];
    private long _more;

    /// <param name="kind">A sentence without an end: "the attribute user.x is not kept: …".</param>
    /// <param name="place">The entry, for people.</param>
    internal void Add(string kind, string place)
    {
        if (_kinds.TryGetValue(kind, out var known))
        {
            _kinds[kind] = (known.Place, known.Count + 1);
        }
        else if (_order.Count == MaxKinds)
        {
            _more++;
        }
        else
        {
            _kinds.Add(kind, (place, 1));
            _order.Add(kind);
        }
    }

    internal IReadOnlyList<string> ToList()
    {
        var lines = new List<string>(_order.Count + 1);
        foreach (var kind in _order)
        {
            var (place, count) = _kinds[kind];
            lines.Add(count == 1 ? $"{kind} ({place})" : $"{kind} ({count} entries, the first is {place})");
        }

        if (_more > 0) lines.Add($"{_more}{Further}");
        return lines;
    }
}
