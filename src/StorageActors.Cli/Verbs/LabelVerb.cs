using System.CommandLine;
using StorageActors.Cli.Output;
using StorageActors.Cli.Running;
using StorageActors.Protocol;

namespace StorageActors.Cli.Verbs;

/// <summary>Shows, sets and takes away labels.</summary>
internal sealed class LabelVerb : Verb
{
    private readonly Argument<string> _id = new("ID") { Description = "A layer or an image" };
    private readonly Option<Dictionary<string, string>> _labels = Values.Pairs("--label", "A label to set; an empty value takes it away");
    private readonly Option<string[]> _remove = Many("--remove", "KEY", "A label to take away");

    internal LabelVerb()
        : base("label", "Show, set and take away the labels of a layer or an image")
    {
        Add(_id);
        Add(_labels);
        Add(_remove);
    }

    internal override async Task<int> RunAsync(Invocation call)
    {
        var changes = new Dictionary<string, string>(call.Get(_labels)!, StringComparer.Ordinal);
        foreach (var key in call.Get(_remove)!) changes[key] = "";
        await using var session = changes.Count == 0 ? await call.OpenToReadAsync(withMounts: References.IsPath(call.Get(_id))) : await call.OpenAsync();
        var found = await session.Client.EitherAsync(call.Get(_id), call.Stop);
        if (changes.Count > 0)
            found = await session.Client.Channel.AskAsync<CatalogProtocol.Resolved>(new CatalogProtocol.ChangeLabels(found.Layer?.Id, changes, found.Image?.Id), call.Stop);
        var (id, labels) = found.Layer is { } layer ? (layer.Id.Value, layer.Labels) : (found.Image!.Id.Value, found.Image.Labels);
        if (call.Output.Json) call.Output.Document(new LabelsResult(id, labels));
        else foreach (var (key, value) in labels.OrderBy(static label => label.Key, StringComparer.Ordinal)) call.Output.Line($"{key}={value}");
        return ExitCode.Done;
    }
}
