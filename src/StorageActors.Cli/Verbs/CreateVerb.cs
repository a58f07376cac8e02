using System.CommandLine;
using StorageActors.Cli.Output;
using StorageActors.Cli.Running;
using StorageActors.Client;
using StorageActors.Protocol;

namespace StorageActors.Cli.Verbs;

/// <summary>Makes a writable layer.</summary>
internal sealed class CreateVerb : Verb
{
    private readonly Option<string?> _image = new("--image") { Description = "The image whose top layer it stands on", HelpName = "IMAGE" };
    private readonly Option<string?> _parent = new("--parent") { Description = "The layer that it stands on", HelpName = "LAYER" };
    private readonly Option<LayerId?> _id = Values.Id<LayerId>("--id", "ID", "Its id (default: a random one)");
    private readonly Option<string[]> _names = Many("--name", "NAME", "A name for it");
    private readonly Option<Dictionary<string, string>> _labels = Values.Pairs("--label", "A label for it");
    private readonly Option<Dictionary<string, string>> _documents = DocumentFiles.Option();
    private readonly IdOptions _ids = new("the container's");

    internal CreateVerb()
        : base("create", "Make a writable layer")
    {
        foreach (var option in new Option[] { _image, _parent, _id, _names, _labels, _documents }) Add(option);
        _ids.AddTo(this);
        Validators.Add(result =>
        {
            if (result.GetResult(_image) is not null && result.GetResult(_parent) is not null) result.AddError("--image and --parent exclude each other");
        });
    }

    internal override async Task<int> RunAsync(Invocation call)
    {
        var documents = await DocumentFiles.ReadAllAsync(call.Get(_documents), call.Stop);
        await using var session = await call.OpenAsync();
        var parent = await ParentAsync(session.Client, call);
        var spec = new StoreProtocol.LayerSpec(call.Get(_id), call.Get(_names), call.Get(_labels), documents);
        var layer = await session.Client.CreateAsync(parent, spec, _ids.Get(call), call.Stop);
        if (call.Output.Json) call.Output.Document(layer);
        else call.Output.Line(layer.Id.Value);
        return ExitCode.Done;
    }

    private async Task<LayerId?> ParentAsync(StorageClient client, Invocation call)
    {
        if (call.Get(_image) is not { } image) return await client.LayerOrNoneAsync(call.Get(_parent), call.Stop);
        return (await client.ImageAsync(image, call.Stop)).Layers is [.., var top] ? top : null;
    }
}
