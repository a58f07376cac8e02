using StorageActors.Archive.Apply;
using StorageActors.Linux;

namespace StorageActors.Archive.Diff;

/// <summary>
/// What a layer lacks since it was applied, by the warnings that were given then: a process that may not make devices leaves them out, a file system refuses
/// attributes. That is no damage.
/// </summary>
internal static class KnownLosses
{
    internal const string Device = "the device is missing";

    internal static string Attribute(ReadOnlySpan<byte> name) => $"the attribute {PathText.Escape(name)} is missing";

    /// <summary>The differences that the warnings do not explain.</summary>
    internal static IReadOnlyList<string> Without(IReadOnlyList<string> differences, IReadOnlyList<string>? warnings) =>
        warnings is not { Count: > 0 } ? differences : [.. differences.Where(line => !IsExplained(line, warnings))];

    private static bool IsExplained(string line, IReadOnlyList<string> warnings)
    {
        var isLoss = line.EndsWith(": " + Device, StringComparison.Ordinal) || line.EndsWith(" is missing", StringComparison.Ordinal);
        if (!isLoss) return false;
        if (warnings[^1].EndsWith(ApplyWarnings.Further, StringComparison.Ordinal)) return true; // There were more than are kept.
        if (line.EndsWith(": " + Device, StringComparison.Ordinal)) return warnings.Any(static warning => warning.StartsWith(ApplyWarnings.DeviceLeftOut, StringComparison.Ordinal));
        var at = line.LastIndexOf(": the attribute ", StringComparison.Ordinal);
        if (at < 0) return false;
        var lost = line[(at + 2)..^"is missing".Length]; // "the attribute NAME "
        return warnings.Any(warning => warning.StartsWith(lost, StringComparison.Ordinal));
    }
}
