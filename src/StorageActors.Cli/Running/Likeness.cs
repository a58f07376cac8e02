namespace StorageActors.Cli.Running;

/// <summary>Which word a mistyped one was meant to be.</summary>
internal static class Likeness
{
    /// <summary>The known word that takes the fewest letters to change, no more than a third of them; null when all take more.</summary>
    internal static string? Nearest(string written, IEnumerable<string> known)
    {
        var (nearest, least) = ((string?)null, (written.Length / 3) + 1);
        foreach (var word in known)
        {
            var steps = Distance(written, word);
            if (steps < least) (nearest, least) = (word, steps);
        }

        return nearest;
    }

    /// <summary>How many letters are added, left out or exchanged for others (Levenshtein).</summary>
    private static int Distance(string one, string other)
    {
        var row = new int[other.Length + 1];
        for (var column = 0; column < row.Length; column++) row[column] = column;
        for (var line = 1; line <= one.Length; line++)
        {
            var diagonal = row[0];
            row[0] = line;
            for (var column = 1; column < row.Length; column++)
            {
                var exchanged = diagonal + (one[line - 1] == other[column - 1] ? 0 : 1);
                diagonal = row[column];
                row[column] = Math.Min(exchanged, Math.Min(row[column], row[column - 1]) + 1);
            }
        }

        return row[^1];
    }
}
