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

/// <summary>A heading and its layout. A class, since collections of it are then no generic code of their own to compile at each start.</summary>
internal sealed record Column(string Title, ColumnKind Kind)
{
    public static implicit operator Column((string Title, ColumnKind Kind) column) => new(column.Title, column.Kind);
}

/// <summary>Rows under headings, in columns two spaces apart: to be read by people and by <c>awk</c>. Cut only on a terminal.</summary>
internal sealed class Table(params Column[] columns)
{
    private const int Narrowest = 8;
    private readonly List<string[]> _rows = [];

    internal void Add(params string[] cells) => _rows.Add(cells);

    internal void WriteTo(TextWriter writer, int width)
    {
        var widths = Widths(width);
        WriteRow(writer, widths, Array.ConvertAll(columns, static column => column.Title));
        foreach (var row in _rows) WriteRow(writer, widths, row);
    }

    private int[] Widths(int available)
    {
        var widths = new int[columns.Length];
        var excess = (2L * (widths.Length - 1)) - available;
        for (var i = 0; i < widths.Length; i++)
        {
            widths[i] = columns[i].Title.Length;
            foreach (var row in _rows) widths[i] = Math.Max(widths[i], row[i].Length);
            excess += widths[i];
        }

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
