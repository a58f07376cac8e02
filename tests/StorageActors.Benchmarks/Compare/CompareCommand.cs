using StorageActors.Benchmarks.Jobs;

namespace StorageActors.Benchmarks.Compare;

/// <summary>Runs the jobs that are named, all if none is, and prints what was measured.</summary>
internal static class CompareCommand
{
    private const string Usage = """
        compare [JOB...] [--runs N] [--seconds N] [--count N] [--fs ext4|xfs|btrfs] [--scratch DIR] [--alone] [--markdown]

        Runs whole jobs, ours and the peers' in turns, and prints minima, medians, CPU seconds and ratios.

          --runs N       rounds that count, after one that does not (default 5)
          --seconds N    how long a job goes on that has no other end (default 60)
          --count N      how many there are of what a job counts: containers (default 1000), pulls (default 16)
          --fs KIND      file system of the stores, made in a loop file (default ext4, with a journal)
          --scratch DIR  where the loop file lies (default: the directory for temporary files)
          --alone        leaves the peers out, for a profiler
          --markdown     prints tables as docs/benchmarks.md has them

        Jobs:
        """;

    internal static async Task<int> RunAsync(IReadOnlyList<string> arguments)
    {
        if (arguments is ["--help" or "-h"])
        {
            WriteUsage(Console.Out);
            return 0;
        }

        if (!CompareOptions.TryParse(arguments, out var options, out var error))
        {
            Console.Error.WriteLine(error);
            WriteUsage(Console.Error);
            return 2;
        }

        if (options.Scratch is { } scratch) Environment.SetEnvironmentVariable("TMPDIR", scratch);
        using var stage = new Stage(options);
        Console.Error.WriteLine(Machine.Describe());
        foreach (var job in AllJobs.List.Where(job => options.Jobs.Count == 0 || options.Jobs.Contains(job.Name)))
        {
            Console.Error.WriteLine($"{job.Name}: {job.Title}");
            var tables = await job.RunAsync(stage).ConfigureAwait(false);
            ReportWriter.Write(Console.Out, job, tables, stage.TakeNotes(), options.Markdown);
        }

        return 0;
    }

    private static void WriteUsage(TextWriter output)
    {
        output.WriteLine(Usage);
        foreach (var job in AllJobs.List) output.WriteLine($"  {job.Name,-14} {job.Title}");
    }
}
