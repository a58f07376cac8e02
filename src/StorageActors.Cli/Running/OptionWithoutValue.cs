using System.CommandLine;

namespace StorageActors.Cli.Running;

/// <summary>
/// An option whose value was forgotten, so that the parser takes the next option for it: <c>apply --parent --name x</c>. A value that is spelled like an option is
/// joined to its own by an equals sign.
/// </summary>
internal static class OptionWithoutValue
{
    /// <summary>The option, and what was taken for its value; null when there is none.</summary>
    internal static (string Option, string Value)? Find(ParseResult parsed, string[] arguments)
    {
        if (parsed.Action is null || !ReferenceEquals(parsed.Action, parsed.CommandResult.Command.Action)) return null;
        var options = parsed.CommandResult.Command.Options.Concat(GlobalOptions.All).ToList();
        for (var i = 0; i + 1 < arguments.Length && arguments[i] != "--"; i++)
        {
            if (Named(options, arguments[i]) is { Arity.MinimumNumberOfValues: > 0 } or { Arity.MaximumNumberOfValues: > 1 }
                && Named(options, arguments[i + 1].Split('=', 2)[0]) is not null) return (arguments[i], arguments[i + 1]);
        }

        return null;
    }

    private static Option? Named(List<Option> options, string text) =>
        text is ['-', _, ..] ? options.Find(option => option.Name == text || option.Aliases.Contains(text)) : null;
}
