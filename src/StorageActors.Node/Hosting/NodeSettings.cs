using Akka.Configuration;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Node.Hosting;

/// <summary>What the command line says about a store, over what a configuration file says, over the defaults.</summary>
/// <param name="Root">The store's root.</param>
/// <param name="Socket">The node's socket.</param>
/// <param name="Driver">The driver.</param>
/// <param name="LogLevel">What the engine logs: <c>debug</c>, <c>info</c>, <c>warning</c>, <c>error</c> or <c>off</c>.</param>
/// <param name="File">A HOCON file.</param>
public sealed record NodeSettings(string? Root = null, string? Socket = null, string? Driver = null, string? LogLevel = null, string? File = null)
{
    /// <summary>An engine inside a command says nothing but warnings, and its system stops without waiting for anybody else.</summary>
    private const string Defaults = """
        akka {
          loglevel = WARNING
          stdout-loglevel = OFF
          loggers = ["StorageActors.Node.Hosting.StderrLogger, StorageActors.Node"]
          log-dead-letters = off
          log-dead-letters-during-shutdown = off
          coordinated-shutdown.exit-clr = off
          coordinated-shutdown.run-by-clr-shutdown-hook = off
        }
        """;

    /// <summary>
    /// All of it as one configuration, without the engine's own defaults, which the engine adds. Its <c>storage-actors.root</c> and
    /// <c>storage-actors.socket</c> are absolute.
    /// </summary>
    /// <param name="defaultRoot">The root if nothing names one.</param>
    /// <exception cref="LinuxException">The file cannot be read.</exception>
    /// <exception cref="StorageException">The file is no HOCON, or has a key that is no setting.</exception>
    public Config ToConfig(string defaultRoot)
    {
        var file = File is null ? Config.Empty : SettingsFile.Read(File);
        var root = Path.GetFullPath(Root ?? NotEmpty(file.GetString("storage-actors.root", null)) ?? defaultRoot);
        var socket = Path.GetFullPath(Socket ?? NotEmpty(file.GetString("storage-actors.socket", null)) ?? Path.Combine(root, "node.sock"));
        var given = new List<string> { $"storage-actors.root = {Quote(root)}", $"storage-actors.socket = {Quote(socket)}" };
        if (Driver is not null) given.Add($"storage-actors.driver = {Quote(Driver)}");
        if (LogLevel is not null) given.Add($"akka.loglevel = {LogLevel.ToUpperInvariant()}");
        return ConfigurationFactory.ParseString(string.Join('\n', given)).WithFallback(file).WithFallback(ConfigurationFactory.ParseString(Defaults));
    }

    private static string? NotEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;

    private static string Quote(string text) => $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
}
