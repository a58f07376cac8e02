using StorageActors.Linux;
using Xunit;

namespace StorageActors.TestSupport;

/// <summary>
/// What a test needs from the machine: "root", "loop", "overlay", "tools", "headers", "codecs", "postgres". A machine that lacks it skips the test with one line; a
/// tier named in STORAGE_ACTORS_REQUIRE (comma separated, or "all") fails instead, so that CI cannot pass by running nothing.
/// </summary>
public static class RequiredTiers
{
    private static readonly HashSet<string> Required =
        (Environment.GetEnvironmentVariable("STORAGE_ACTORS_REQUIRE") ?? "")
        .Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).ToHashSet(StringComparer.Ordinal);

    /// <summary>Whether a skip of this tier is a failure.</summary>
    public static bool IsRequired(string tier) => Required.Contains(tier) || Required.Contains("all");

    /// <summary>Goes on when the condition holds; else skips, or fails where the tier is required.</summary>
    public static void SkipUnless(bool condition, string tier, string reason)
    {
        if (condition) return;
        if (IsRequired(tier)) throw new InvalidOperationException($"the tier '{tier}' is required here: {reason}");
        Skip.If(true, $"{tier}: {reason}");
    }

    /// <summary>Tests that mount, chown or make devices.</summary>
    public static void SkipUnlessRoot() => SkipUnless(Libc.GetEuid() == 0, "root", "needs root, to mount and to make device nodes");
}
