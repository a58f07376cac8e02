using System.CommandLine;
using StorageActors.Cli.Output;
using StorageActors.Cli.Running;
using StorageActors.Protocol;

namespace StorageActors.Cli.Verbs;

/// <summary>Takes a lease on a layer's mount.</summary>
internal sealed class MountVerb : Verb
{
    private readonly Argument<string> _layer = new("LAYER") { Description = "The layer, or an image; a sealed layer is mounted read-only, and so is an image, by its top layer" };
    private readonly Option<LeaseId?> _lease = Values.Id<LeaseId>("--lease", "NAME", "The lease's name (default: a fresh one)");
    private readonly Option<bool> _readOnly = new("--read-only") { Description = "Mount without writes, even if the layer takes them" };
    private readonly Option<string?> _owner = new("--owner")
    {
        Description = "Whose the lease is: process:PID, whose end ends it; or a word, such as a container's id", HelpName = "OWNER",
    };

    private readonly Option<TimeSpan?> _term = Values.Term("--for", "End the lease after so long, unless it is mounted again: 90s, 15m, 12h, 7d");
    private readonly Option<string[]> _options = Many("--option", "OPT", "A mount option: nodev, noexec, nosuid, noatime, ro, volatile, context=LABEL");
    private readonly IdOptions _ids = new("the layer's");

    internal MountVerb()
        : base("mount", "Take a lease on a layer, which mounts it")
    {
        Add(_layer);
        foreach (var option in new Option[] { _lease, _readOnly, _owner, _term, _options }) Add(option);
        _ids.AddTo(this);
    }

    internal override async Task<int> RunAsync(Invocation call)
    {
        await using var session = await call.OpenAsync();
        var layer = await session.Client.MountableAsync(call.Get(_layer), call.Stop);
        var options = new MountOptions(call.Get(_readOnly), call.Get(_options) is { Length: > 0 } given ? given : null, _ids.Get(call));
        // The lease is to outlive this process: nobody's end ends it but its owner's, if it has one, and the machine's.
        var acquire = new LayerProtocol.Acquire(layer, call.Get(_lease) ?? LeaseId.New(), options, Holder: null, Values.Owner(call.Get(_owner)), call.Get(_term));
        var granted = await session.Client.Channel.AskAsync<LayerProtocol.Acquired>(acquire, call.Stop);
        if (call.Output.Json) call.Output.Document(new MountResult(granted.MountPath, granted.Lease, granted.Leases, granted.Mode));
        else call.Output.Line(granted.MountPath);
        return ExitCode.Done;
    }
}
