using System.Globalization;

namespace StorageActors.TestSupport;

/// <summary>
/// Where random tests begin. The same every time, so that a run of the tests finds what the last one found; STORAGE_ACTORS_SEED is another number, or <c>random</c>,
/// for who looks for more.
/// </summary>
public static class Seeds
{
    private static readonly Lazy<int?> Chosen = new(static () =>
    {
        var text = Environment.GetEnvironmentVariable("STORAGE_ACTORS_SEED");
        if (string.IsNullOrEmpty(text)) return null;
        var seed = text == "random" ? Random.Shared.Next() : int.Parse(text, CultureInfo.InvariantCulture);
        Console.Error.WriteLine($"STORAGE_ACTORS_SEED={seed}");
        return seed;
    });

    /// <summary>The seed that was asked for, else <paramref name="usual"/>.</summary>
    public static int Or(int usual) => Chosen.Value ?? usual;
}
