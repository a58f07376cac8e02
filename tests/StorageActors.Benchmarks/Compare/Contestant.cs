namespace StorageActors.Benchmarks.Compare;

/// <summary>One way to do a job: ours, or a peer's.</summary>
/// <param name="Name">Its name in the table.</param>
/// <param name="RunAsync">The work, and all that is measured.</param>
internal sealed record Contestant(string Name, Func<Task> RunAsync)
{
    /// <summary>Prepares one run; not measured.</summary>
    internal Func<Task> BeforeAsync { get; init; } = static () => Task.CompletedTask;

    /// <summary>Takes away what a run left; not measured.</summary>
    internal Func<Task> AfterAsync { get; init; } = static () => Task.CompletedTask;

    /// <summary>How often one run does the work: times are those of one.</summary>
    internal int Operations { get; init; } = 1;

    /// <summary>A second way of ours: its row shows what it costs against the first contestant, not the other way round.</summary>
    internal bool IsVariant { get; init; }

    /// <summary>The ratio of wall times that the project promises: at most so much.</summary>
    internal double? Bar { get; init; }

    /// <summary>The ratio of CPU seconds that the project promises.</summary>
    internal double? CpuBar { get; init; }

    /// <summary>The daemons that do the work for a client, whose CPU seconds count too.</summary>
    internal Func<IReadOnlyList<int>> Daemons { get; init; } = static () => [];
}
