using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using StorageActors.Linux;
using StorageActors.Protocol;
using StorageActors.Protocol.Identity;

namespace StorageActors.Cli.Running;

/// <summary>Parsers for values on the command line; what they refuse is wrong usage.</summary>
internal static class Values
{
    private static readonly string[] Moments = ["yyyy-MM-dd", "yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK"];

    /// <summary>An option whose value is an id, a digest or the like.</summary>
    internal static Option<T?> Id<T>(string name, string value, string description) where T : struct, IStringValue<T> => new(name)
    {
        Description = description,
        HelpName = value,
        CustomParser = static result => Parse(result, static text => (T?)T.Parse(text)),
    };

    /// <summary>An option whose value is a number of bytes: plain, or with K, M, G, T for powers of 1024.</summary>
    internal static Option<long?> Bytes(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "BYTES",
        CustomParser = static result => Parse(result, static text => (long?)ParseBytes(text)),
    };

    /// <summary>An option whose value is a number above zero.</summary>
    internal static Option<long?> Number(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "N",
        CustomParser = static result => Parse(result, static text =>
            long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0 ? (long?)number
                : throw new FormatException($"\"{text}\" is no number above zero")),
    };

    /// <summary>Pairs written as <c>KEY=VALUE</c>.</summary>
    internal static Option<Dictionary<string, string>> Pairs(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "KEY=VALUE",
        AllowMultipleArgumentsPerToken = false,
        Arity = ArgumentArity.ZeroOrMore,
        DefaultValueFactory = static _ => new(StringComparer.Ordinal),
        CustomParser = static result =>
        {
            var pairs = new Dictionary<string, string>(StringComparer.Ordinal);
            foreach (var token in result.Tokens)
            {
                var at = token.Value.IndexOf('=', StringComparison.Ordinal);
                if (at <= 0) result.AddError($"\"{token.Value}\" is no KEY=VALUE");
                else pairs[token.Value[..at]] = token.Value[(at + 1)..];
            }

            return pairs;
        },
    };

    /// <summary>An option whose value is a time: a number with <c>s</c>, <c>m</c>, <c>h</c> or <c>d</c>.</summary>
    internal static Option<TimeSpan?> Term(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "TIME",
        CustomParser = static result => Parse(result, static text => (TimeSpan?)ParseTerm(text)),
    };

    /// <summary>An option whose value is a moment: a date, or a date and time as in ISO 8601, UTC where it does not say otherwise.</summary>
    internal static Option<DateTimeOffset?> Time(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "DATE",
        CustomParser = static result => Parse(result, static text =>
            DateTimeOffset.TryParseExact(text, Moments, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time)
                ? (DateTimeOffset?)time : throw new FormatException($"\"{text}\" is no date: 2026-01-31 or 2026-01-31T23:59:00Z is")),
    };

    /// <summary>The owner of a lease; a process is looked up, so that another one with its number is never taken for it.</summary>
    internal static LeaseOwner? Owner(string? text)
    {
        const string process = "process:";
        if (text is null) return null;
        if (!text.StartsWith(process, StringComparison.Ordinal) || !int.TryParse(text[process.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out var pid))
            return LeaseOwner.Parse(text);
        return LeaseOwner.Process(pid, ProcFs.StartTime(pid) ?? throw new FormatException($"there is no process {pid} that could own the lease"));
    }

    private static TimeSpan ParseTerm(string text)
    {
        var unit = text is [.., var last] ? "smhd".IndexOf(last, StringComparison.Ordinal) : -1;
        if (unit >= 0 && int.TryParse(text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is > 0 and <= 1_000_000)
            return unit switch
            {
                0 => TimeSpan.FromSeconds(number),
                1 => TimeSpan.FromMinutes(number),
                2 => TimeSpan.FromHours(number),
                _ => TimeSpan.FromDays(number),
            };
        throw new FormatException($"\"{text}\" is no time: a number with s, m, h or d is");
    }

    private static T? Parse<T>(ArgumentResult result, Func<string, T?> parse)
    {
        try { return parse(result.Tokens[0].Value); }
        catch (FormatException e)
        {
            result.AddError(e.Message);
            return default;
        }
    }

    private static long ParseBytes(string text)
    {
        var digits = text.TrimEnd('B', 'i');
        var shift = digits is [.., var unit] ? "KMGT".IndexOf(char.ToUpperInvariant(unit), StringComparison.Ordinal) + 1 : 0;
        if (shift > 0) digits = digits[..^1];
        if (long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0 && number <= long.MaxValue >> (10 * shift))
            return number << (10 * shift);
        throw new FormatException($"\"{text}\" is no size: a number of bytes above zero is, or one with K, M, G or T");
    }
}
