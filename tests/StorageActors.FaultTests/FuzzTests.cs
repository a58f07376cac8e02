using StorageActors.FaultTests.Fuzzing;
using Xunit;

namespace StorageActors.FaultTests;

/// <summary>Wrong input gets a typed error, soon and in bounded memory, and changes nothing. <c>dotnet run -- fuzz MINUTES</c> goes on for longer.</summary>
public sealed class FuzzTests
{
    public static TheoryData<string, int> Targets
    {
        get
        {
            var targets = new TheoryData<string, int>();
            // Akka's parser does not end on some settings, so these are for the long run alone.
            foreach (var name in FuzzTargets.Names.Where(static name => name != "settings")) targets.Add(name, name is "layer" or "http" ? 400 : 3000);
            return targets;
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Targets))]
    public void Wrong_input_is_refused_with_a_typed_error(string name, int inputs)
    {
        using var target = FuzzTargets.Open(name);
        var result = Fuzzer.Run(target, first: 1, tried => tried < inputs);
        Assert.Empty(result.Findings.Select(static finding => $"{finding.Target}, seed {finding.Seed}: {finding.What}"));
        Assert.Equal(inputs, result.Inputs);
    }
}
