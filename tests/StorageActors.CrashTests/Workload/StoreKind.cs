namespace StorageActors.CrashTests.Workload;

/// <summary>Settings of a store that make a difference to a death.</summary>
/// <param name="Durability">Its durability.</param>
/// <param name="PackFrom">So many layers have the journal's snapshot packed: few, so that the stores of these tests are large, or become so and small again.</param>
internal sealed record StoreKind(string Durability, int PackFrom)
{
    /// <summary>Nothing is ever packed: the store is small.</summary>
    internal const int Never = int.MaxValue;

    /// <summary>Whatever has a layer is large.</summary>
    internal const int Always = 1;

    /// <summary>Always, never, or amid what the workers have: some come to fifteen layers each.</summary>
    internal static int AnyPackFrom(Random random) => random.Next(4) switch { 0 => Always, 1 => Never, _ => random.Next(2, 30) };
}
