using System.Globalization;

namespace StorageActors.Grpc.Framing;

/// <summary>The header <c>grpc-timeout</c>: up to eight digits and a unit.</summary>
internal static class CallTimeout
{
    private const int MostDigits = 8;

    /// <summary>Beyond this nobody waits for a timer; such a call has no deadline.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromDays(20);

    /// <summary>Reads the header's text. False when it is none; a timeout of years counts as none given, which is null.</summary>
    internal static bool TryParse(string? text, out TimeSpan? timeout)
    {
        timeout = null;
        if (text is null) return true;
        if (text.Length is < 2 or > MostDigits + 1) return false;
        if (!long.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var count)) return false;
        decimal? ticks = text[^1] switch
        {
            'H' => TimeSpan.TicksPerHour,
            'M' => TimeSpan.TicksPerMinute,
            'S' => TimeSpan.TicksPerSecond,
            'm' => TimeSpan.TicksPerMillisecond,
            'u' => TimeSpan.TicksPerMicrosecond,
            'n' => 1m / TimeSpan.NanosecondsPerTick,
            _ => null,
        };
        if (ticks is not { } unit) return false;
        var total = count * unit;
        if (total < Longest.Ticks) timeout = TimeSpan.FromTicks((long)total);
        return true;
    }
}
