using System.Text.RegularExpressions;

namespace StorageActors.Containerd.Snapshots;

/// <summary>
/// One filter of a list: conditions joined by commas, all of which hold. A condition is a field (<c>name</c>, <c>parent</c>, <c>kind</c>, <c>labels.KEY</c> or
/// <c>labels."KEY"</c>) that is there, or its comparison with a value by <c>==</c>, <c>!=</c> or <c>~=</c>, a regular expression.
/// </summary>
internal sealed class SnapshotFilter
{
    private readonly IReadOnlyList<Condition> _conditions;

    private SnapshotFilter(IReadOnlyList<Condition> conditions) => _conditions = conditions;

    /// <summary>Reads a filter.</summary>
    /// <exception cref="FormatException">It is none; the message says where.</exception>
    internal static SnapshotFilter Parse(string text) => new(FilterReader.Read(text));

    /// <summary>Whether the snapshot meets it.</summary>
    internal bool Accepts(Snapshot snapshot) => _conditions.All(condition => condition.Holds(snapshot));

    /// <summary>How a field is compared.</summary>
    internal enum Comparison
    {
        /// <summary>It is there.</summary>
        Present,

        /// <summary>It has the value.</summary>
        Equal,

        /// <summary>It has not.</summary>
        NotEqual,

        /// <summary>The expression is found in it.</summary>
        Matches,
    }

    /// <summary>One condition.</summary>
    internal sealed record Condition(IReadOnlyList<string> Field, Comparison Comparison, string Value)
    {
        /// <summary>What a client sends must not keep the door busy: no backtracking, so time grows with the length of the text alone.</summary>
        private readonly Regex? _expression = Comparison == Comparison.Matches ? new Regex(Value, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant) : null;

        internal bool Holds(Snapshot snapshot)
        {
            var value = Read(snapshot);
            return Comparison switch
            {
                Comparison.Present => value is not null,
                Comparison.Equal => value is not null && value == Value,
                Comparison.NotEqual => (value ?? "") != Value,
                _ => _expression!.IsMatch(value ?? ""),
            };
        }

        private string? Read(Snapshot snapshot) => Field[0] switch
        {
            "name" => snapshot.Key,
            "parent" => snapshot.Parent,
            "kind" => snapshot.State switch { SnapshotState.Active => "active", SnapshotState.View => "view", _ => "committed" },
            "labels" => snapshot.Labels.GetValueOrDefault(string.Join('.', Field.Skip(1))),
            _ => null,
        };
    }
}
