using System.CommandLine;
using StorageActors.Cli.Output;
using StorageActors.Cli.Running;
using StorageActors.Protocol;

namespace StorageActors.Cli.Verbs;

/// <summary>Lists mounts and who holds them.</summary>
internal sealed class PsVerb : Verb
{
    private readonly Option<string?> _why = new("--why") { Description = "List what keeps this layer's mount busy: processes and mount namespaces", HelpName = "LAYER" };

    internal PsVerb()
        : base("ps", "List the mounts and their leases") => Add(_why);

    internal override async Task<int> RunAsync(Invocation call)
    {
        var why = call.Get(_why);
        await using var session = why is null ? await call.OpenToReadAsync(withMounts: true) : await call.OpenAsync();
        if (why is { } reference)
        {
            var layer = await session.Client.MountableAsync(reference, call.Stop);
            var holders = await session.Client.Channel.AskAsync<LayerProtocol.Holders>(new LayerProtocol.WhyBusy(layer), call.Stop);
            if (call.Output.Json) call.Output.Document(new HoldersResult(layer, holders.Lines));
            else foreach (var line in holders.Lines) call.Output.Line(line);
            if (holders.Lines.Count == 0) call.Output.Note("nobody is seen to keep it busy");
            return ExitCode.Done;
        }

        var mounts = await session.Client.ListMountsAsync(call.Stop);
        if (call.Output.Json) call.Output.Document(mounts);
        else if (call.Output.Quiet) foreach (var mount in mounts) call.Output.Line(mount.Layer.Value);
        else call.Output.Table(MountTable.Of(mounts));
        return ExitCode.Done;
    }
}
