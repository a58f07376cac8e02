using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;

namespace StorageActors.CrashTests.Model;

/// <summary>What the workload's log says of one worker: the state that is certain, and the states that a death in its last step may have left.</summary>
/// <param name="Certain">After all steps whose answer was heard.</param>
/// <param name="Open">The step whose answer was not, if there is one.</param>
/// <param name="Possible">Certain, and what the open step may have made of it.</param>
internal sealed record Replay(WorkerModel Certain, Step? Open, ImmutableList<WorkerModel> Possible)
{
    /// <summary>Reads what a worker did.</summary>
    /// <param name="model">Where it began.</param>
    /// <param name="certain">What had been heard before the moment that counts.</param>
    /// <param name="all">What had been heard after it: steps that began, or ended, while the moment was.</param>
    internal static Replay Of(WorkerModel model, IReadOnlyList<string> certain, IReadOnlyList<string> all)
    {
        var (state, open) = Follow(model, certain);
        var possible = ImmutableList.Create(state);
        // After the certain part come, at most, the answer to the open step and further steps.
        var steps = Steps(model.Worker, all).Skip(Steps(model.Worker, certain).Count(static step => step.IsHeard)).ToList();
        foreach (var (step, answer, isHeard) in steps)
        {
            var before = possible[^1];
            var after = isHeard ? step.Done(before, answer) : null;
            possible = possible.InsertRange(possible.Count - 1, step.Outcomes(before)).Add(after ?? before);
        }

        var next = model.Next + Steps(model.Worker, all).Count;
        return new Replay(state, open ?? steps.FirstOrDefault().Step, [.. possible.Select(one => one with { Next = next })]);
    }

    private static (WorkerModel State, Step? Open) Follow(WorkerModel model, IReadOnlyList<string> lines)
    {
        Step? open = null;
        foreach (var (step, answer, isHeard) in Steps(model.Worker, lines))
        {
            if (isHeard) model = step.Done(model, answer);
            else open = step;
        }

        return (model, open);
    }

    private static List<(Step Step, string? Answer, bool IsHeard)> Steps(int worker, IReadOnlyList<string> lines)
    {
        var (begin, done) = (string.Create(CultureInfo.InvariantCulture, $"> {worker} "), string.Create(CultureInfo.InvariantCulture, $"< {worker} "));
        var steps = new List<(Step, string?, bool)>();
        foreach (var line in lines)
        {
            if (line.StartsWith(begin, StringComparison.Ordinal)) steps.Add((JsonSerializer.Deserialize<Step>(line[begin.Length..])!, null, false));
            else if (line.StartsWith(done, StringComparison.Ordinal)) steps[^1] = (steps[^1].Item1, JsonSerializer.Deserialize<string?>(line[done.Length..]), true);
        }

        return steps;
    }
}
