using System.CommandLine;
using StorageActors.Cli.Output;
using StorageActors.Cli.Running;
using StorageActors.Protocol;

namespace StorageActors.Cli.Verbs;

/// <summary>Prints one record in full.</summary>
internal sealed class InspectVerb : Verb
{
    private readonly Argument<string> _id = new("ID") { Description = "A layer or an image: id, unique prefix of it, name, or digest (ChainID, DiffID, blob)" };

    internal InspectVerb()
        : base("inspect", "Print the record of a layer or an image in full, as JSON; of a layer, where it lies, too") => Add(_id);

    internal override async Task<int> RunAsync(Invocation call)
    {
        var reference = call.Get(_id);
        await using var session = await call.OpenToReadAsync(withMounts: References.IsPath(reference));
        var found = await session.Client.EitherAsync(reference, call.Stop);
        if (found.Layer is not { } layer) call.Output.Document(found.Image!);
        else if (await PlacesAsync(session, layer, call) is { } places) call.Output.Document(layer, "storage", places);
        else call.Output.Document(layer);
        return ExitCode.Done;
    }

    /// <summary>A layer whose directory is gone has a record all the same.</summary>
    private static async Task<LayerMetadata?> PlacesAsync(Session session, LayerRecord layer, Invocation call)
    {
        try
        {
            return await session.Client.GetMetadataAsync(layer.Id, call.Stop);
        }
        catch (StorageException e) when (e.Error.Code is StorageErrorCode.NotFound or StorageErrorCode.Io)
        {
            call.Output.Warning(call.Verb, e.Error.Message);
            return null;
        }
    }
}
