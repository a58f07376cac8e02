using System.CommandLine;
using StorageActors.Linux;

namespace StorageActors.Cli.Running;

/// <summary>The options that every verb takes.</summary>
internal static class GlobalOptions
{
    internal static readonly Option<string?> Root = new("--root")
    {
        Description = "The store's directory (default: STORAGE_ACTORS_ROOT, else /var/lib/storage-actors, without root ~/.local/share/storage-actors)",
        HelpName = "DIR",
        Recursive = true,
    };

    internal static readonly Option<string?> Config = new("--config")
    {
        Description = "Settings in HOCON, over the built-in ones", HelpName = "FILE", Recursive = true,
    };

    internal static readonly Option<string?> Driver = new Option<string?>("--driver")
    {
        Description = "How layers are stacked (default: the best that works here)", Recursive = true,
    }.AcceptOnlyFromAmong("overlay", "overlay2", "vfs", "aufs");

    internal static readonly Option<string?> Socket = new("--socket")
    {
        Description = "The node's socket (default: node.sock in the root)", HelpName = "PATH", Recursive = true,
    };

    internal static readonly Option<bool> Json = new("--json") { Description = "Print one JSON document", Recursive = true };

    internal static readonly Option<bool> Quiet = new("--quiet", "-q") { Description = "Print ids only, and no progress", Recursive = true };

    internal static readonly Option<string?> LogLevel = new Option<string?>("--log-level")
    {
        Description = "What the engine writes to stderr (default: warning)", Recursive = true,
    }.AcceptOnlyFromAmong("debug", "info", "warning", "error", "off");

    internal static IEnumerable<Option> All => [Root, Config, Driver, Socket, Json, Quiet, LogLevel];

    /// <summary>The root when neither an option nor a configuration names one.</summary>
    internal static string DefaultRoot()
    {
        if (Environment.GetEnvironmentVariable("STORAGE_ACTORS_ROOT") is { Length: > 0 } named) return Path.GetFullPath(named);
        if (Libc.GetEuid() == 0 && IsOurs("/var/lib")) return "/var/lib/storage-actors";
        // Not verified: of a home that does not exist the name would be empty, and the store in the working directory.
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify);
        return Path.GetFullPath(Path.Combine(home, ".local/share/storage-actors"));

        // In a user namespace everybody may be root, but the machine's directories are not his.
        static bool IsOurs(string directory) => !UserNamespace.IsOwn || (Libc.TryStat(directory, out var status, AtFlags.None) == Errno.None && status.UserId == 0);
    }
}
