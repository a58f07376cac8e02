namespace StorageActors.Cli.Output;

/// <summary>How a column is laid out.</summary>
internal enum ColumnKind
{
    /// <summary>As wide as its widest cell.</summary>
    Text,

    /// <summary>The same, flush right.</summary>
    Number,

    /// <summary>Gives way when the terminal is too narrow: its cells are cut, with an ellipsis.</summary>
    Elastic,
}

/// <summary>Rows under headings, in columns two spaces apart: to be read by people and by <c>awk</c>. Cut only on a terminal.</summary>
internal sealed class Table(params (string Title, ColumnKind Kind)[] columns)
{
    private const int Narrowest = 8;
    private readonly List<string[]> _rows = [];

    internal void Add(params string[] cells) => _rows.Add(cells);

    internal void WriteTo(TextWriter writer, int width)
    {
        var widths = Widths(width);
        WriteRow(writer, widths, [.. columns.Select(static column => column.Title)]);
        foreach (var row in _rows) WriteRow(writer, widths, row);
    }

    private int[] Widths(int available)
    {
        var widths = columns.Select((column, i) => _rows.Append([.. columns.Select(static c => c.Title)]).Max(row => row[i].Length)).ToArray();
        var excess = widths.Sum(static w => (long)w) + (2 * (widths.Length - 1)) - available;
        while (excess > 0)
        {
            // The widest elastic column gives first, so that a short one beside it stays whole.
            var widest = Enumerable.Range(0, widths.Length)
                .Where(i => columns[i].Kind == ColumnKind.Elastic && widths[i] > Narrowest)
                .DefaultIfEmpty(-1).MaxBy(i => i < 0 ? 0 : widths[i]);
            if (widest < 0) break;
            widths[widest]--;
            excess--;
        }

        return widths;
    }

    private void WriteRow(TextWriter writer, int[] widths, string[] cells)
    {
        for (var i = 0; i < cells.Length; i++)
        {
            var cell = cells[i].Length <= widths[i] ? cells[i] : string.Concat(cells[i].AsSpan(0, widths[i] - 1), "…");
            var last = i == cells.Length - 1;
            if (columns[i].Kind == ColumnKind.Number) writer.Write(cell.PadLeft(widths[i]));
            else writer.Write(last ? cell : cell.PadRight(widths[i]));
            writer.Write(last ? "\n" : "  ");
        }
    }
}
