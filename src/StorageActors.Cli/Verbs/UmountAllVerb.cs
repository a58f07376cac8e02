using System.CommandLine;
using StorageActors.Cli.Output;
using StorageActors.Cli.Running;
using StorageActors.Protocol;

namespace StorageActors.Cli.Verbs;

/// <summary>Unmounts everything, and lists what is mounted still.</summary>
internal sealed class UmountAllVerb : Verb
{
    private readonly Option<bool> _force = new("--force") { Description = "End leases of whomever, and detach mounts that are busy" };
    private readonly Option<string?> _reason = new("--reason") { Description = "Why they are ended for their owners; goes to the log", HelpName = "TEXT" };

    internal UmountAllVerb()
        : base("umount-all", "Unmount all layers; list what is mounted still, and end with 4 if anything is")
    {
        Add(_force);
        Add(_reason);
    }

    internal override async Task<int> RunAsync(Invocation call)
    {
        var force = call.Get(_force);
        await using var session = await call.OpenAsync();
        var done = await session.Client.Channel.AskAsync<StoreProtocol.AllUnmounted>(new StoreProtocol.UnmountAll(force, call.Get(_reason)), call.Stop);
        Print(done, call);
        if (done.StillMounted.Count == 0) return ExitCode.Done;
        if (!force) call.Output.Note("what is held stays; --force ends the leases, and detaches what is busy");
        return ExitCode.InUse;
    }

    private static void Print(StoreProtocol.AllUnmounted done, Invocation call)
    {
        if (call.Output.Json)
        {
            call.Output.Document(done);
            return;
        }

        if (call.Output.Quiet) foreach (var left in done.StillMounted) call.Output.Line(left.Mount.Layer.Value);
        else if (done.StillMounted.Count > 0) call.Output.Table(MountTable.Of(done.StillMounted.Select(static left => left.Mount)));
        foreach (var left in done.StillMounted)
        {
            if (left.Why is { } why) call.Output.Warning(call.Verb, why.Message);
        }
    }
}
