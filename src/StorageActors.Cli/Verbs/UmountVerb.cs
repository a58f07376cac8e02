using System.CommandLine;
using StorageActors.Cli.Output;
using StorageActors.Cli.Running;
using StorageActors.Protocol;

namespace StorageActors.Cli.Verbs;

/// <summary>Ends a lease.</summary>
internal sealed class UmountVerb : Verb
{
    private readonly Argument<string> _layer = new("LAYER") { Description = "The layer, the image whose top layer it is, or the path where it is mounted" };
    private readonly Option<LeaseId?> _lease = Values.Id<LeaseId>("--lease", "NAME", "The lease (default: the only one there is)");
    private readonly Option<bool> _all = new("--all") { Description = "End every lease" };
    private readonly Option<bool> _force = new("--force") { Description = "Detach the mount even if somebody keeps it busy" };
    private readonly Option<string?> _reason = new("--reason") { Description = "Why it is ended for its owner; goes to the log", HelpName = "TEXT" };

    internal UmountVerb()
        : base("umount", "End a lease on a layer; the last one unmounts it")
    {
        Add(_layer);
        Add(_lease);
        Add(_all);
        Add(_force);
        Add(_reason);
        Validators.Add(result =>
        {
            if (result.GetResult(_lease) is not null && result.GetValue(_all)) result.AddError("--lease and --all exclude each other");
        });
    }

    internal override async Task<int> RunAsync(Invocation call)
    {
        await using var session = await call.OpenAsync();
        var layer = await session.Client.MountableAsync(call.Get(_layer), call.Stop);
        var (force, reason) = (call.Get(_force), call.Get(_reason));
        LayerProtocol.ICommand command = call.Get(_all)
            ? new LayerProtocol.ReleaseAll(layer, force, reason) : new LayerProtocol.Release(layer, call.Get(_lease), force, reason);
        var left = (await session.Client.Channel.AskAsync<LayerProtocol.Released>(command, call.Stop)).LeasesLeft;
        if (call.Output.Json) call.Output.Document(new UnmountResult(layer, left));
        else call.Output.Line($"{left}");
        return ExitCode.Done;
    }
}
