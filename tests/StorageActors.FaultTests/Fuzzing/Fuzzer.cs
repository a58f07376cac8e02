using System.Diagnostics.CodeAnalysis;

namespace StorageActors.FaultTests.Fuzzing;

/// <summary>Gives a target one wrong input after the other.</summary>
internal static class Fuzzer
{
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(2);

    private static readonly string Endless = $"it did not end within {Longest}";

    /// <summary>Memory is counted for the whole process: what others take in the same moment is not taken every time.</summary>
    private const int Measurements = 5;

    /// <summary>Tries seeds from <paramref name="first"/> on for as long as it is told to.</summary>
    internal static FuzzResult Run(FuzzTarget target, int first, Func<long, bool> goesOn, int maximumFindings = 5)
    {
        var findings = new List<Finding>();
        var (inputs, refused) = (0L, 0L);
        for (var seed = first; goesOn(inputs) && findings.Count < maximumFindings; seed++, inputs++)
        {
            var input = new Mutator(seed, target.Samples).Next();
            var (isRefused, wrong, allocated) = Try(target, input);
            for (var measured = 1; wrong is null && allocated > target.MaximumBytes && measured < Measurements; measured++) (isRefused, wrong, allocated) = Try(target, input);
            if (allocated > target.MaximumBytes) wrong ??= $"it took {allocated} bytes of memory for {input.Length} bytes of input";
            if (isRefused) refused++;
            if (wrong is not null) findings.Add(new Finding(target.Name, seed, input, wrong));
            if (wrong == Endless) break;   // The thread still runs, on what the next input would use.
        }

        return new FuzzResult(inputs, refused, findings);
    }

    [SuppressMessage("Design", "CA1031", Justification = "Whatever is thrown beyond what is allowed is a finding.")]
    private static (bool IsRefused, string? Wrong, long Allocated) Try(FuzzTarget target, byte[] input)
    {
        var before = GC.GetTotalAllocatedBytes();
        string? wrong = null;
        var isRefused = false;
        // A thread of its own: an input that never ends is a finding, too.
        var thread = new Thread(() =>
        {
            try
            {
                target.Read(input);
            }
            catch (Exception e) when (target.Refuses(e))
            {
                isRefused = true;
            }
            catch (Exception e)
            {
                wrong = e.ToString();
            }
        }) { IsBackground = true };
        thread.Start();
        return thread.Join(Longest) ? (isRefused, wrong, GC.GetTotalAllocatedBytes() - before) : (false, Endless, 0);
    }
}
