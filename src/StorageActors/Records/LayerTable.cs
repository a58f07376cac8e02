using System.Collections;
using StorageActors.Protocol;

namespace StorageActors.Records;

/// <summary>
/// Layers that never change, in order, and what leads to them: what a catalog starts from. Only the ids are looked at when it is made. What else is asked for is found out
/// then, on whatever thread, and kept; so a table of ten thousand layers is ready in milliseconds, and a command that has a layer's id reads that layer. The first that has a name reads all
/// layers with names. The table's bytes and what was read of them stay in memory as long as its catalog, which is until the next start, also when a later snapshot has been taken.
/// </summary>
internal abstract class LayerTable : IReadOnlyList<LayerRecord>
{
    private readonly string[] _ids;
    private readonly Dictionary<string, int> _rows;
    private readonly Lazy<string[]> _sorted;
    private readonly Lazy<Dictionary<string, int>> _names;
    private readonly Lazy<RowsByText> _chains;
    private readonly Lazy<RowsByText> _children;

    /// <param name="ids">The id of each row.</param>
    /// <exception cref="FormatException">One is there twice.</exception>
    protected LayerTable(string[] ids)
    {
        _ids = ids;
        _rows = new Dictionary<string, int>(ids.Length, StringComparer.Ordinal);
        for (var row = 0; row < ids.Length; row++)
        {
            if (!_rows.TryAdd(ids[row], row)) throw new FormatException($"it has the layer {ids[row]} twice");
        }

        _sorted = new Lazy<string[]>(Sort);
        _names = new Lazy<Dictionary<string, int>>(IndexNames);
        _chains = new Lazy<RowsByText>(() => new RowsByText(_ids.Length, ChainOf));
        _children = new Lazy<RowsByText>(() => new RowsByText(_ids.Length, ParentOf));
    }

    /// <inheritdoc/>
    public int Count => _ids.Length;

    /// <inheritdoc/>
    public abstract LayerRecord this[int index] { get; }

    /// <inheritdoc/>
    public IEnumerator<LayerRecord> GetEnumerator()
    {
        for (var row = 0; row < Count; row++) yield return this[row];
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    internal string IdOf(int row) => _ids[row];

    /// <summary>Whether its record has a damage; only then it has to be read to know which.</summary>
    internal abstract bool IsDamaged(int row);

    /// <summary>The layer's row; null when it has none.</summary>
    internal int? RowOf(string id) => _rows.TryGetValue(id, out var row) ? row : null;

    /// <summary>The id of the layer that has a name; of several, the last one's.</summary>
    internal string? FindName(string name) => _names.Value.TryGetValue(name, out var row) ? _ids[row] : null;

    /// <summary>The ids of the layers with a ChainID, in order; null when there is none.</summary>
    internal IReadOnlyCollection<string>? FindChain(string chain) => IdsOf(_chains.Value.Find(chain));

    /// <summary>The ids of the layers on a parent, which itself need not be there; null when there is none.</summary>
    internal IReadOnlyCollection<string>? FindChildren(string parent) => IdsOf(_children.Value.Find(parent));

    /// <summary>The ids that begin with a prefix.</summary>
    internal IEnumerable<string> FindPrefix(string prefix)
    {
        var sorted = _sorted.Value;
        var found = Array.BinarySearch(sorted, prefix, StringComparer.Ordinal);
        for (var i = found < 0 ? ~found : found; i < sorted.Length && sorted[i].StartsWith(prefix, StringComparison.Ordinal); i++) yield return sorted[i];
    }

    protected abstract string? ParentOf(int row);

    protected abstract string? ChainOf(int row);

    protected abstract IReadOnlyList<string> NamesOf(int row);

    private List<string>? IdsOf(IEnumerable<int> rows)
    {
        List<string>? ids = null;
        foreach (var row in rows) (ids ??= []).Add(_ids[row]);
        return ids;
    }

    private string[] Sort()
    {
        var sorted = (string[])_ids.Clone();
        Array.Sort(sorted, StringComparer.Ordinal);
        return sorted;
    }

    private Dictionary<string, int> IndexNames()
    {
        var names = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var row = 0; row < _ids.Length; row++)
        {
            foreach (var name in NamesOf(row)) names[name] = row;
        }

        return names;
    }
}
