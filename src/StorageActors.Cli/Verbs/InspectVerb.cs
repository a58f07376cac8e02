using System.CommandLine;
using StorageActors.Cli.Output;
using StorageActors.Cli.Running;

namespace StorageActors.Cli.Verbs;

/// <summary>Prints one record in full.</summary>
internal sealed class InspectVerb : Verb
{
    private readonly Argument<string> _id = new("ID") { Description = "A layer or an image: id, unique prefix of it, name, or digest (ChainID, DiffID, blob)" };

    internal InspectVerb()
        : base("inspect", "Print the record of a layer or an image in full, as JSON") => Add(_id);

    internal override async Task<int> RunAsync(Invocation call)
    {
        var reference = call.Get(_id);
        await using var session = await call.OpenToReadAsync(withMounts: References.IsPath(reference));
        var found = await session.Client.EitherAsync(reference, call.Stop);
        if (found.Layer is { } layer) call.Output.Document(layer);
        else call.Output.Document(found.Image!);
        return ExitCode.Done;
    }
}
