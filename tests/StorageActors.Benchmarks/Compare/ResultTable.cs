namespace StorageActors.Benchmarks.Compare;

/// <summary>A table of results; the first column is text, the others are numbers.</summary>
internal sealed record ResultTable(string Caption, IReadOnlyList<string> Head, IReadOnlyList<IReadOnlyList<string>> Rows);
