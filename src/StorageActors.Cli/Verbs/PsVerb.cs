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
        else call.Output.Table(Describe(mounts));
        return ExitCode.Done;
    }

    private static Table Describe(IReadOnlyList<MountRecord> mounts)
    {
        var now = TimeProvider.System.GetUtcNow();
        var table = new Table(
            ("LAYER", ColumnKind.Text), ("MODE", ColumnKind.Text), ("LEASE", ColumnKind.Elastic), ("OWNER", ColumnKind.Elastic),
            ("SINCE", ColumnKind.Text), ("UNTIL", ColumnKind.Text), ("PATH", ColumnKind.Elastic));
        foreach (var mount in mounts)
        {
            var mode = mount.Mode == MountMode.ReadWrite ? "rw" : "ro";
            var path = mount.Path.Length > 0 ? mount.Path : "(mounted by its holder)";
            if (mount.Leases.Count == 0) table.Add(Human.Short(mount.Layer.Value), mode, "-", "-", "-", "-", path);
            foreach (var lease in mount.Leases)
            {
                table.Add(Human.Short(mount.Layer.Value), mode, lease.Lease.Value, lease.Owner, Human.Age(lease.Since, now), Human.Time(lease.Until), path);
            }
        }

        return table;
    }
}
