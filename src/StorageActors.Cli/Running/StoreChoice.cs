using System.CommandLine;

namespace StorageActors.Cli.Running;

/// <summary>Which store the user means, and how an engine for it would be set up.</summary>
/// <param name="Root">Absolute path of its root, if one was given.</param>
/// <param name="Socket">Absolute path of the node's socket, if one was given.</param>
/// <param name="Config">Absolute path of a HOCON file.</param>
/// <param name="Driver">The driver, if one was given.</param>
/// <param name="LogLevel">What the engine logs.</param>
internal sealed record StoreChoice(string? Root, string? Socket, string? Config, string? Driver, string? LogLevel)
{
    internal static StoreChoice Of(ParseResult parsed) => new(
        Full(parsed.GetValue(GlobalOptions.Root)),
        Full(parsed.GetValue(GlobalOptions.Socket)),
        Full(parsed.GetValue(GlobalOptions.Config)),
        parsed.GetValue(GlobalOptions.Driver),
        parsed.GetValue(GlobalOptions.LogLevel));

    private static string? Full(string? path) => string.IsNullOrEmpty(path) ? null : Path.GetFullPath(path);
}
