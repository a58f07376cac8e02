using System.CommandLine;
using StorageActors.Cli.Output;
using StorageActors.Cli.Running;
using StorageActors.Client;
using StorageActors.Protocol;

namespace StorageActors.Cli.Verbs;

/// <summary>Lists, gives, puts and removes documents.</summary>
internal sealed class DocumentVerb : Verb
{
    private readonly Argument<string> _id = new("ID") { Description = "A layer or an image" };
    private readonly Argument<string?> _key = new("KEY") { Description = "Which document (default: list them)", DefaultValueFactory = static _ => null };
    private readonly Option<string?> _put = new("--put") { Description = "Put the file's content, a new document or in place of the one with the key; - reads stdin", HelpName = "FILE" };
    private readonly Option<bool> _remove = new("--remove") { Description = "Remove the document" };
    private readonly Option<string?> _file = new("--output", "-o") { Description = "Where its content goes (default: stdout)", HelpName = "FILE" };

    internal DocumentVerb()
        : base("document", "List, give, put and remove documents that are kept with a layer or an image")
    {
        Add(_id);
        Add(_key);
        foreach (var option in new Option[] { _put, _remove, _file }) Add(option);
        Validators.Add(result =>
        {
            var given = new Option[] { _put, _remove, _file }.Where(option => result.GetResult(option) is { Implicit: false }).ToList();
            if (given.Count > 1) result.AddError($"{given[0].Name} and {given[1].Name} exclude each other");
            if (given.Count > 0 && result.GetValue(_key) is null) result.AddError($"{given[0].Name} wants a KEY");
        });
    }

    internal override async Task<int> RunAsync(Invocation call)
    {
        var (key, put) = (call.Get(_key), call.Get(_put));
        var document = put is null ? null : new BigData(key!, await DocumentFiles.ReadAsync(put, call.Stop));
        await using var session = key is null ? await call.OpenToReadAsync(withMounts: References.IsPath(call.Get(_id))) : put is null && !call.Get(_remove) ? await call.OpenExistingAsync() : await call.OpenAsync();
        var found = await session.Client.EitherAsync(call.Get(_id), call.Stop);
        if (key is not null && put is null && !call.Get(_remove))
        {
            await GiveAsync(session.Client, found, key, call);
            return ExitCode.Done;
        }

        if (key is not null)
        {
            CatalogProtocol.ICommand change = document is not null ? new CatalogProtocol.PutBigData(found.Layer?.Id, found.Image?.Id, document)
                : new CatalogProtocol.RemoveBigData(found.Layer?.Id, found.Image?.Id, key);
            found = await session.Client.Channel.AskAsync<CatalogProtocol.Resolved>(change, call.Stop);
        }

        List(found.Layer?.Id.Value ?? found.Image!.Id.Value, found.Layer is { } layer ? layer.BigData ?? [] : found.Image!.BigData, call.Output);
        return ExitCode.Done;
    }

    private static void List(string id, IReadOnlyList<BigDataItem> documents, Printer output)
    {
        if (output.Json)
        {
            output.Document(new DocumentsResult(id, documents));
            return;
        }

        var table = new Table(("DOCUMENT", ColumnKind.Elastic), ("SIZE", ColumnKind.Number), ("DIGEST", ColumnKind.Text));
        foreach (var item in documents)
        {
            if (output.Quiet) output.Line(item.Key);
            else table.Add(item.Key, Human.Size(item.Size), item.Digest.Value);
        }

        if (!output.Quiet) output.Table(table);
    }

    private async Task GiveAsync(StorageClient client, CatalogProtocol.Resolved found, string key, Invocation call)
    {
        var content = found.Layer is { } layer ? await client.GetBigDataAsync(layer.Id, key, call.Stop) : await client.GetBigDataAsync(found.Image!.Id, key, call.Stop);
        if (call.Get(_file) is { } file and not "-")
        {
            OutputFile.Write(file, content);
            return;
        }

        await using var stdout = new StandardOutput();
        await stdout.WriteAsync(content, call.Stop);
    }
}
