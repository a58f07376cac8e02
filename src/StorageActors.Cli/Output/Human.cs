using System.Globalization;
using StorageActors.Protocol;

namespace StorageActors.Cli.Output;

/// <summary>Values as people read them.</summary>
internal static class Human
{
    private static readonly string[] Units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];

    /// <summary>Decimal units, as every container tool prints them: <c>12.3 MB</c>.</summary>
    internal static string Size(long? bytes)
    {
        if (bytes is not { } value) return "-";
        double shown = value;
        var unit = 0;
        while (Math.Abs(shown) >= 999.95 && unit < Units.Length - 1)
        {
            shown /= 1000;
            unit++;
        }

        return unit == 0 ? $"{value} B" : string.Create(CultureInfo.InvariantCulture, $"{shown:0.0} {Units[unit]}");
    }

    /// <summary>How long ago, in the largest unit that is not zero: <c>3 hours ago</c>.</summary>
    internal static string Age(DateTimeOffset then, DateTimeOffset now)
    {
        var age = now - then;
        return age switch
        {
            { TotalMinutes: < -1 } => Date(then), // An image may say anything of itself.
            { TotalSeconds: < 1 } => "just now",
            { TotalMinutes: < 1 } => Ago((int)age.TotalSeconds, "second"),
            { TotalHours: < 1 } => Ago((int)age.TotalMinutes, "minute"),
            { TotalDays: < 1 } => Ago((int)age.TotalHours, "hour"),
            { TotalDays: < 60 } => Ago((int)age.TotalDays, "day"),
            _ => Date(then),
        };
    }

    /// <summary>A moment to come.</summary>
    internal static string Time(DateTimeOffset? time) => time?.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture) ?? "-";

    /// <summary>An id short enough for a table; one that its owner chose is shown whole as long as it is not absurd.</summary>
    internal static string Short(string id) => id.Length == 64 || id.Length > 32 ? id[..12] : id;

    /// <summary>A digest's first digits.</summary>
    internal static string Short(Digest? digest) => digest is { } value ? value.Hex[..12] : "-";

    /// <summary>The column that says which additional store something lies in, where one is shown.</summary>
    internal static Column[] StoreColumn(bool isShown) => isShown ? [("STORE", ColumnKind.Text)] : [];

    /// <summary>Its cell.</summary>
    internal static string[] StoreCell(bool isShown, string? additionalStore) => isShown ? [additionalStore ?? "-"] : [];

    internal static string Names(IReadOnlyList<string> names) => names.Count == 0 ? "-" : string.Join(", ", names);

    /// <summary>A short time in the unit that fits: <c>12.3 µs</c>.</summary>
    internal static string Duration(double seconds) => seconds switch
    {
        < 1e-6 => string.Create(CultureInfo.InvariantCulture, $"{seconds * 1e9:0.0} ns"),
        < 1e-3 => string.Create(CultureInfo.InvariantCulture, $"{seconds * 1e6:0.0} µs"),
        < 1 => string.Create(CultureInfo.InvariantCulture, $"{seconds * 1e3:0.0} ms"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{seconds:0.0} s"),
    };

    internal static string Seconds(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.00} s");

    internal static string Count(long number, string thing) => $"{number} {thing}{(number == 1 ? "" : "s")}";

    private static string Date(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private static string Ago(int number, string unit) => $"{Count(number, unit)} ago";
}
