namespace StorageActors.Docker.GraphDriver;

/// <summary>How a graph driver is served.</summary>
public sealed record GraphDriverOptions
{
    /// <summary>
    /// Whether Docker is told that a layer comes back as the bytes it was made of. It then keeps no record of its own of their structure, and asks the store when it
    /// saves or pushes. A daemon's layers were made with one answer or the other: the answer stays the same for its life.
    /// </summary>
    public bool ReproducesExactDiffs { get; init; }

    /// <summary>Is told of each call that ended: the method, <c>OK</c> or the kind of error, and how long it took.</summary>
    public Action<string, string, TimeSpan> Ended { get; init; } = static (_, _, _) => { };

    /// <summary>Gets one text for each defect: an exception that is no refusal.</summary>
    public Action<string> Report { get; init; } = static _ => { };

    /// <summary>The clock of durations.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
