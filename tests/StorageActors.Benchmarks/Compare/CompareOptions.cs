using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using StorageActors.Benchmarks.Jobs;
using StorageActors.TestSupport;

namespace StorageActors.Benchmarks.Compare;

/// <summary>What the command line of <c>compare</c> says.</summary>
internal sealed record CompareOptions(IReadOnlyList<string> Jobs, int Runs, int Seconds, FileSystemKind FileSystem, string? Scratch, bool Markdown, bool Alone, int? Count)
{
    internal static bool TryParse(
        IReadOnlyList<string> arguments, [NotNullWhen(true)] out CompareOptions? options, [NotNullWhen(false)] out string? error)
    {
        var found = new CompareOptions([], 5, 60, FileSystemKind.Ext4, null, false, false, null);
        var jobs = new List<string>();
        (options, error) = (null, null);
        for (var i = 0; i < arguments.Count; i++)
        {
            var next = i + 1 < arguments.Count ? arguments[i + 1] : "";
            switch (arguments[i])
            {
                case "--markdown":
                    found = found with { Markdown = true };
                    break;
                case "--alone":
                    found = found with { Alone = true };
                    break;
                case "--runs" when int.TryParse(next, CultureInfo.InvariantCulture, out var runs) && runs > 0:
                    (found, i) = (found with { Runs = runs }, i + 1);
                    break;
                case "--seconds" when int.TryParse(next, CultureInfo.InvariantCulture, out var seconds) && seconds > 0:
                    (found, i) = (found with { Seconds = seconds }, i + 1);
                    break;
                case "--count" when int.TryParse(next, CultureInfo.InvariantCulture, out var count) && count > 0:
                    (found, i) = (found with { Count = count }, i + 1);
                    break;
                case "--fs" when Enum.TryParse<FileSystemKind>(next, ignoreCase: true, out var kind):
                    (found, i) = (found with { FileSystem = kind }, i + 1);
                    break;
                case "--scratch" when Directory.Exists(next):
                    (found, i) = (found with { Scratch = Path.GetFullPath(next) }, i + 1);
                    break;
                case var word when AllJobs.List.Any(job => job.Name == word):
                    jobs.Add(word);
                    break;
                case var word:
                    error = $"compare: {word}: neither a job nor an option with a value that fits";
                    return false;
            }
        }

        options = found with { Jobs = jobs };
        return true;
    }
}
