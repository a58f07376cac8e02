namespace StorageActors.DriverOperations;

/// <summary>
/// How often a transient failure is tried again, and after which pauses: each twice as long as the one before, up to the longest, and up to a fifth longer by
/// chance, so that operations which got into each other's way do not meet again.
/// </summary>
/// <param name="MaximumRetries">How often, after the first attempt.</param>
/// <param name="Pause">Before the first retry.</param>
/// <param name="LongestPause">No pause grows beyond it, but by chance.</param>
internal sealed record RetryPolicy(int MaximumRetries, TimeSpan Pause, TimeSpan LongestPause)
{
    /// <summary>By how much of itself a pause may be longer.</summary>
    internal const double Jitter = 0.2;

    /// <summary>Five times: a mount whose last user is about to end is free within the first of them; about 1.6 seconds until a refusal.</summary>
    internal static readonly RetryPolicy Default = new(5, TimeSpan.FromMilliseconds(50), TimeSpan.FromSeconds(2));

    /// <summary>The pause after so many failures, from 1.</summary>
    /// <param name="failures">How many attempts have failed.</param>
    /// <param name="chance">From 0 to 1.</param>
    internal TimeSpan PauseBefore(int failures, double chance)
    {
        // By a floating-point number, which grows beyond every pause without an overflow.
        var grown = Math.Min(LongestPause.TotalMilliseconds, Pause.TotalMilliseconds * Math.Pow(2, failures - 1));
        return TimeSpan.FromMilliseconds(grown * (1 + (Jitter * chance)));
    }
}
