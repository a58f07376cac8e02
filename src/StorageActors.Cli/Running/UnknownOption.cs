using System.CommandLine;
using System.CommandLine.Parsing;

namespace StorageActors.Cli.Running;

/// <summary>
/// A word that looks like an option and is none. The parser takes it for the value of an argument, where a verb has one: a mistyped <c>--force</c> would be the name
/// of a layer. A value may begin with a dash all the same, after <c>--</c>; and a dash alone is a name for stdin.
/// </summary>
internal static class UnknownOption
{
    /// <summary>Whether a verb that is about to run has one among its arguments.</summary>
    internal static bool Swallowed(ParseResult parsed) =>
        parsed.Action is not null && ReferenceEquals(parsed.Action, parsed.CommandResult.Command.Action) && Find(parsed) is not null;

    /// <summary>The first one; null when there is none.</summary>
    internal static string? Find(ParseResult parsed)
    {
        foreach (var token in parsed.Tokens)
        {
            if (token.Type == TokenType.DoubleDash) return null;
            if (token is { Type: TokenType.Argument, Value: ['-', _, ..] } && !IsOptionValue(parsed, token)) return token.Value;
        }

        return null;
    }

    /// <summary>The option of the verb that it was meant to be; null when none is like it.</summary>
    internal static string? Nearest(ParseResult parsed, string written)
    {
        var name = written.Split('=', ':')[0];
        var options = parsed.CommandResult.Command.Options.Concat(GlobalOptions.All);
        return Likeness.Nearest(name, options.SelectMany(static option => option.Aliases.Prepend(option.Name)));
    }

    /// <summary>The value of an option may begin as it likes.</summary>
    private static bool IsOptionValue(ParseResult parsed, Token token)
    {
        for (SymbolResult? symbol = parsed.CommandResult; symbol is not null; symbol = symbol.Parent)
        {
            if (symbol is not CommandResult command) continue;
            foreach (var child in command.Children)
            {
                if (child is OptionResult && child.Tokens.Any(value => ReferenceEquals(value, token))) return true;
            }
        }

        return false;
    }
}
