using StorageActors.FaultTests.Fuzzing;
using StorageActors.Protocol;
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

    [Fact]
    public void Input_is_the_same_in_every_process_so_that_a_seed_names_it()
    {
        var samples = Digest.Of([.. FuzzTargets.Tars().SelectMany(static tar => tar)]);
        var mutated = Digest.Of([.. Enumerable.Range(1, 50).SelectMany(static seed => new Mutator(seed, FuzzTargets.Tars()).Next())]);
        Assert.Equal(("a789ca7dca7adb0d", "a9d743ab20370cdb"), (samples.Hex[..16], mutated.Hex[..16]));
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
