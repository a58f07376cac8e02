namespace StorageActors.FaultTests.Fuzzing;

/// <summary>Something that reads what strangers write.</summary>
/// <param name="Name">As the report calls it.</param>
/// <param name="Samples">Right input.</param>
/// <param name="Read">Reads one input. What it throws beyond <paramref name="Refuses"/>, or says is wrong by throwing, is a finding.</param>
/// <param name="Refuses">The errors that it may answer with.</param>
/// <param name="MaximumBytes">What it may allocate for one input.</param>
internal sealed record FuzzTarget(
    string Name, IReadOnlyList<byte[]> Samples, Action<byte[]> Read, Func<Exception, bool> Refuses, long MaximumBytes = 64L << 20) : IDisposable
{
    internal IDisposable? Owned { get; init; }

    public void Dispose() => Owned?.Dispose();

    public override string ToString() => Name;
}

/// <summary>An input that was not handled as it must be.</summary>
internal sealed record Finding(string Target, int Seed, byte[] Input, string What);

/// <summary>How many inputs were tried, and what was found.</summary>
internal sealed record FuzzResult(long Inputs, long Refused, IReadOnlyList<Finding> Findings);
