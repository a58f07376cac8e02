using System.CommandLine;
using StorageActors.Cli.Running;
using StorageActors.Node.Hosting;

namespace StorageActors.Cli.Verbs;

/// <summary>Serves a store until SIGTERM or SIGINT; being told to stop is how a node's work ends, so it exits with 0 then.</summary>
internal sealed class NodeVerb : Verb
{
    private readonly Option<TimeSpan?> _wait = Values.Term("--wait", "Wait so long for the root's owner to give it free: to follow a node that is told to stop");

    internal NodeVerb()
        : base("node", "Serve the store in the foreground; SIGTERM or SIGINT drains it, and it exits with 0") => Add(_wait);

    internal override async Task<int> RunAsync(Invocation call)
    {
        var choice = call.Store;
        var settings = new NodeSettings(choice.Root, choice.Socket, choice.Driver, choice.LogLevel, choice.Config);
        await NodeHost.RunAsync(
            settings, GlobalOptions.DefaultRoot(), static line => Console.Error.WriteLine($"storage-actors: {line}"), call.Get(_wait) ?? TimeSpan.Zero, call.Stop);
        return ExitCode.Done;
    }
}
