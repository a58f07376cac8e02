namespace StorageActors.Records;

/// <summary>Which rows of a table have a text, where several may have the same; in the table's order. Two arrays' worth of memory, however the texts are spread.</summary>
internal sealed class RowsByText
{
    private const int None = -1;

    private readonly Dictionary<string, int> _first = new(StringComparer.Ordinal);
    private readonly int[] _next;

    /// <param name="count">How many rows there are.</param>
    /// <param name="textOf">A row's text; null for a row that has none.</param>
    internal RowsByText(int count, Func<int, string?> textOf)
    {
        _next = new int[count];
        for (var row = count - 1; row >= 0; row--)
        {
            if (textOf(row) is not { } text) continue;
            _next[row] = _first.GetValueOrDefault(text, None);
            _first[text] = row;
        }
    }

    /// <summary>The rows with a text; none without any.</summary>
    internal IEnumerable<int> Find(string text)
    {
        for (var row = _first.GetValueOrDefault(text, None); row != None; row = _next[row]) yield return row;
    }
}
