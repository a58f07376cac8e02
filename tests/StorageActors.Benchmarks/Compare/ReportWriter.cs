namespace StorageActors.Benchmarks.Compare;

/// <summary>Prints a job's tables, for people or as Markdown.</summary>
internal static class ReportWriter
{
    internal static void Write(TextWriter to, IJob job, IReadOnlyList<ResultTable> tables, IReadOnlyList<string> notes, bool markdown)
    {
        to.WriteLine(markdown ? $"## {job.Name}: {job.Title}" : $"{job.Name}: {job.Title}");
        foreach (var table in tables)
        {
            to.WriteLine();
            to.WriteLine(markdown ? $"**{table.Caption}**" : table.Caption);
            to.WriteLine();
            if (markdown) WriteMarkdown(to, table);
            else WriteText(to, table);
        }

        if (notes.Count > 0) to.WriteLine();
        foreach (var note in notes) to.WriteLine(markdown ? $"- {note}" : note);
        to.WriteLine();
    }

    private static void WriteMarkdown(TextWriter to, ResultTable table)
    {
        to.WriteLine($"| {string.Join(" | ", table.Head)} |");
        to.WriteLine("|---|" + string.Concat(Enumerable.Repeat("---:|", table.Head.Count - 1)));
        foreach (var row in table.Rows) to.WriteLine($"| {string.Join(" | ", row)} |");
    }

    private static void WriteText(TextWriter to, ResultTable table)
    {
        var widths = Enumerable.Range(0, table.Head.Count).Select(column => table.Rows.Append(table.Head).Max(row => row[column].Length)).ToArray();
        foreach (var row in table.Rows.Prepend(table.Head))
            to.WriteLine("  " + string.Join("  ", row.Select((cell, column) => column == 0 ? cell.PadRight(widths[0]) : cell.PadLeft(widths[column]))).TrimEnd());
    }
}
