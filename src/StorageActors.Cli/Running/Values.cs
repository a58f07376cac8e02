using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using StorageActors.Protocol.Identity;

namespace StorageActors.Cli.Running;

/// <summary>Parsers for values on the command line; what they refuse is wrong usage.</summary>
internal static class Values
{
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
        if (long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= long.MaxValue >> (10 * shift))
            return number << (10 * shift);
        throw new FormatException($"\"{text}\" is no size: a number of bytes is, or one with K, M, G or T");
    }
}
