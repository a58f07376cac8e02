using StorageActors.Protocol;

namespace StorageActors.Cli.Output;

/// <summary>What a check found, a row each; a terminal that is too narrow gets the message on lines of its own.</summary>
internal static class FindingsTable
{
    private const int Readable = 60;

    internal static void Print(IReadOnlyList<Finding> findings, Printer output)
    {
        if (findings.Count == 0) return;
        if (output.Quiet)
        {
            foreach (var finding in findings) output.Line($"{finding.Kind} {finding.Subject}");
            return;
        }

        var kinds = findings.Max(static finding => finding.Kind.Length);
        var subjects = findings.Max(static finding => Subject(finding).Length);
        if (output.ToTerminal && output.Width - kinds - subjects - 14 < Readable)
        {
            foreach (var finding in findings)
            {
                output.Line($"{finding.Kind}  {Subject(finding)}  {State(finding)}");
                foreach (var line in Wrap(finding.Message, output.Width - 4)) output.Line("    " + line);
            }

            return;
        }

        var table = new Table(("FINDING", ColumnKind.Text), ("SUBJECT", ColumnKind.Text), ("STATE", ColumnKind.Text), ("WHAT", ColumnKind.Text));
        foreach (var finding in findings) table.Add(finding.Kind, Subject(finding), State(finding), finding.Message);
        output.Table(table);
    }

    private static string Subject(Finding finding) => Human.Short(finding.Subject) is var shown && finding.Subject.Contains('/', StringComparison.Ordinal) ? finding.Subject : shown;

    private static string State(Finding finding) => finding.Note ? "note" : finding.Repaired ? "repaired" : "stands";

    private static IEnumerable<string> Wrap(string text, int width)
    {
        while (text.Length > width)
        {
            var cut = text.LastIndexOf(' ', width);
            if (cut <= 0) cut = width;
            yield return text[..cut];
            text = text[cut..].TrimStart();
        }

        yield return text;
    }
}
