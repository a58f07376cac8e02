using System.Diagnostics.CodeAnalysis;

namespace StorageActors.FaultTests.Fuzzing;

/// <summary>Gives a target one wrong input after the other.</summary>
internal static class Fuzzer
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(20);

    /// <summary>Tries seeds from <paramref name="first"/> on for as long as it is told to.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "Whatever is thrown beyond what is allowed is a finding.")]
    internal static FuzzResult Run(FuzzTarget target, int first, Func<long, bool> goesOn, int maximumFindings = 5)
    {
        var findings = new List<Finding>();
        var (inputs, refused) = (0L, 0L);
        for (var seed = first; goesOn(inputs) && findings.Count < maximumFindings; seed++, inputs++)
        {
            var input = new Mutator(seed, target.Samples).Next();
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
            if (!thread.Join(Longest))
            {
                findings.Add(new Finding(target.Name, seed, input, $"it did not end within {Longest}"));
                break;   // The thread still runs, on what the next input would use.
            }

            if (isRefused) refused++;
            var allocated = GC.GetTotalAllocatedBytes() - before;
            if (allocated > target.MaximumBytes) wrong ??= $"it took {allocated} bytes of memory for {input.Length} bytes of input";
            if (wrong is not null) findings.Add(new Finding(target.Name, seed, input, wrong));
        }

        return new FuzzResult(inputs, refused, findings);
    }
}
