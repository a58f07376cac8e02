namespace StorageActors.Benchmarks.Compare;

/// <summary>
/// One piece of work that users know: it is prepared, done by ours and by the peers, and ends in tables. Most jobs are a <see cref="Comparison"/>.
/// To add one: write a class, name it in <see cref="Jobs.AllJobs"/>, and give it a section in docs/benchmarks.md.
/// </summary>
internal interface IJob
{
    /// <summary>The word that chooses it on the command line.</summary>
    string Name { get; }

    /// <summary>What is done, for the head of its section.</summary>
    string Title { get; }

    /// <summary>Prepares, measures, cleans up. What cannot take part is noted on the stage.</summary>
    Task<IReadOnlyList<ResultTable>> RunAsync(Stage stage);
}
