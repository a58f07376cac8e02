using System.CommandLine;
using StorageActors.Cli.Output;
using StorageActors.Cli.Running;
using StorageActors.Protocol;

namespace StorageActors.Cli.Verbs;

/// <summary>Gives and takes names.</summary>
internal sealed class NameVerb : Verb
{
    private readonly Argument<string> _id = new("ID") { Description = "A layer or an image" };
    private readonly Option<string[]> _add = Many("--add", "NAME", "A name to give");
    private readonly Option<string[]> _remove = Many("--remove", "NAME", "A name to take away");
    private readonly Option<bool> _steal = new("--steal") { Description = "Take the names from whoever has them" };

    internal NameVerb()
        : base("name", "Show, give and take the names of a layer or an image")
    {
        Add(_id);
        Add(_add);
        Add(_remove);
        Add(_steal);
    }

    internal override async Task<int> RunAsync(Invocation call)
    {
        await using var session = await call.OpenAsync();
        var found = await session.Client.EitherAsync(call.Get(_id), call.Stop);
        var (add, remove) = (call.Get(_add)!, call.Get(_remove)!);
        if (add.Length + remove.Length > 0)
        {
            var command = new CatalogProtocol.ChangeNames(found.Layer?.Id, found.Image?.Id, add, remove, call.Get(_steal));
            found = await session.Client.Channel.AskAsync<CatalogProtocol.Resolved>(command, call.Stop);
        }

        var (id, names) = found.Layer is { } layer ? (layer.Id.Value, layer.Names) : (found.Image!.Id.Value, found.Image.Names);
        if (call.Output.Json) call.Output.Document(new NamesResult(id, names));
        else foreach (var name in names) call.Output.Line(name);
        return ExitCode.Done;
    }
}
