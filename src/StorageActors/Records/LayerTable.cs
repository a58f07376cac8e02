using System.Buffers;
using System.Collections;
using StorageActors.Protocol;

namespace StorageActors.Records;

/// <summary>
/// Layers that never change, in order, and what leads to them: what a catalog starts from. What is asked for is found out then, on whatever thread, and kept: a command that
/// has a layer's id reads that layer, and the first that has a name reads all layers with names. The table's bytes and what was read of them stay in memory as long as its
/// catalog, which is until the next start, also when a later snapshot has been taken.
/// </summary>
internal abstract class LayerTable : IReadOnlyList<LayerRecord>
{
    private const int DigestSize = 32;

    private readonly Lazy<string[]> _sorted;
    private readonly Lazy<Dictionary<string, int>> _names;
    private readonly Lazy<RowsByKey> _chains;
    private readonly Lazy<RowsByKey> _children;
    private readonly Lazy<RowsByKey> _rows;

    /// <param name="count">How many rows there are.</param>
    protected LayerTable(int count)
    {
        Count = count;
        _rows = new Lazy<RowsByKey>(IndexIds);
        _sorted = new Lazy<string[]>(Sort);
        _names = new Lazy<Dictionary<string, int>>(IndexNames);
        _chains = new Lazy<RowsByKey>(() => new RowsByKey(Count, ChainOf));
        _children = new Lazy<RowsByKey>(() => new RowsByKey(Count, ParentOf));
    }

    /// <inheritdoc/>
    public int Count { get; }

    /// <summary>What the layers are together.</summary>
    internal abstract LayerTotals Totals { get; }

    /// <inheritdoc/>
    public abstract LayerRecord this[int index] { get; }

    /// <inheritdoc/>
    public IEnumerator<LayerRecord> GetEnumerator()
    {
        for (var row = 0; row < Count; row++) yield return this[row];
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    internal string IdOf(int row) => IdKey.Read(KeyOf(row));

    /// <summary>Whether its record has a damage; only then it has to be read to know which.</summary>
    internal abstract bool IsDamaged(int row);

    /// <summary>The layer's row; null when it has none.</summary>
    internal int? RowOf(string id)
    {
        Span<byte> key = stackalloc byte[IdKey.Longest];
        return IdKey.TryWrite(id, key, out var length) ? _rows.Value.First(key[..length]) : null;
    }

    /// <summary>The id of the layer that has a name; of several, the last one's.</summary>
    internal string? FindName(string name) => _names.Value.TryGetValue(name, out var row) ? IdOf(row) : null;

    /// <summary>The ids of the layers with a ChainID, in order; null when there is none.</summary>
    internal IReadOnlyCollection<string>? FindChain(string chain)
    {
        Span<byte> key = stackalloc byte[DigestSize];
        var digits = chain.AsSpan(chain.IndexOf(':', StringComparison.Ordinal) + 1);
        return Convert.FromHexString(digits, key, out _, out var length) == OperationStatus.Done && length == DigestSize ? IdsOf(_chains.Value, key) : null;
    }

    /// <summary>The ids of the layers on a parent, which itself need not be there; null when there is none.</summary>
    internal IReadOnlyCollection<string>? FindChildren(string parent)
    {
        Span<byte> key = stackalloc byte[IdKey.Longest];
        return IdKey.TryWrite(parent, key, out var length) ? IdsOf(_children.Value, key[..length]) : null;
    }

    /// <summary>The ids that begin with a prefix.</summary>
    internal IEnumerable<string> FindPrefix(string prefix)
    {
        var sorted = _sorted.Value;
        var found = Array.BinarySearch(sorted, prefix, StringComparer.Ordinal);
        for (var i = found < 0 ? ~found : found; i < sorted.Length && sorted[i].StartsWith(prefix, StringComparison.Ordinal); i++) yield return sorted[i];
    }

    /// <summary>Finds out now whether an id is there twice, not when the first layer is asked for.</summary>
    /// <exception cref="FormatException">One is.</exception>
    protected void RequireEachOnce() => _ = _rows.Value;

    /// <summary>What it means that the table is none.</summary>
    /// <param name="reason">Why.</param>
    protected virtual Exception Unusable(string reason) => new FormatException(reason);

    /// <summary>The id of a row, as <see cref="IdKey"/>.</summary>
    protected abstract ReadOnlySpan<byte> KeyOf(int row);

    /// <summary>The parent's id, as <see cref="IdKey"/>; empty without one.</summary>
    protected abstract ReadOnlySpan<byte> ParentOf(int row);

    /// <summary>The 32 bytes of the ChainID; empty without one.</summary>
    protected abstract ReadOnlySpan<byte> ChainOf(int row);

    protected abstract IReadOnlyList<string> NamesOf(int row);

    private RowsByKey IndexIds()
    {
        var rows = new RowsByKey(Count, KeyOf);
        for (var row = 0; row < Count; row++)
        {
            if (rows.Next(row) is not null) throw Unusable($"it has the layer {IdOf(row)} twice");
        }

        return rows;
    }

    private List<string>? IdsOf(RowsByKey rows, ReadOnlySpan<byte> key)
    {
        List<string>? ids = null;
        for (var row = rows.First(key); row is { } one; row = rows.Next(one)) (ids ??= []).Add(IdOf(one));
        return ids;
    }

    private string[] Sort()
    {
        var sorted = new string[Count];
        for (var row = 0; row < sorted.Length; row++) sorted[row] = IdOf(row);
        Array.Sort(sorted, StringComparer.Ordinal);
        return sorted;
    }

    private Dictionary<string, int> IndexNames()
    {
        var names = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var row = 0; row < Count; row++)
        {
            foreach (var name in NamesOf(row)) names[name] = row;
        }

        return names;
    }
}
