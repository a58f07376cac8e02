using System.CommandLine;
using System.Diagnostics;
using StorageActors.Cli.Output;
using StorageActors.Cli.Progress;
using StorageActors.Cli.Running;
using StorageActors.Client;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Cli.Verbs;

/// <summary>Makes a sealed layer from a tar.</summary>
internal sealed class ApplyVerb : Verb
{
    private readonly Argument<string> _file = new("FILE")
    {
        Description = "A tar, plain or compressed with gzip, zstd, xz or bzip2; - reads stdin", DefaultValueFactory = static _ => "-",
    };

    private readonly Option<string?> _parent = new("--parent") { Description = "The layer below", HelpName = "LAYER" };
    private readonly Option<LayerId?> _id = Values.Id<LayerId>("--id", "ID", "The new layer's id (default: a random one)");
    private readonly Option<string[]> _names = Many("--name", "NAME", "A name for it");
    private readonly Option<Dictionary<string, string>> _labels = Values.Pairs("--label", "A label for it");
    private readonly Option<Dictionary<string, string>> _documents = DocumentFiles.Option();
    private readonly Option<Digest?> _diffId = Values.Id<Digest>("--diff-id", "DIGEST", "The digest that its uncompressed tar must have");
    private readonly Option<long?> _limitSize = Values.Bytes("--limit-size", "Refuse a tar that is larger than this, uncompressed");
    private readonly Option<long?> _limitEntries = Values.Number("--limit-entries", "Refuse a tar that has more entries");

    private readonly Option<bool> _reuse = new("--reuse")
    {
        Description = "Take a layer of the same content on the same parent, if there is one, instead of making a second; it gets the names and labels",
    };

    internal ApplyVerb()
        : base("apply", "Make a sealed layer from a tar, compressed or not")
    {
        Add(_file);
        foreach (var option in new Option[] { _parent, _id, _names, _labels, _documents, _diffId, _limitSize, _limitEntries, _reuse }) Add(option);
        Validators.Add(result =>
        {
            if (result.GetValue(_reuse) && result.GetValue(_documents) is { Count: > 0 }) result.AddError("--reuse and --document exclude each other: put documents of a layer that may be there with the verb document");
        });
    }

    internal override async Task<int> RunAsync(Invocation call)
    {
        var documents = await DocumentFiles.ReadAllAsync(call.Get(_documents), call.Stop);
        using var source = TarSource.Open(call.Get(_file));
        await using var session = await call.OpenAsync();
        var clock = Stopwatch.StartNew();
        var parent = await session.Client.LayerOrNoneAsync(call.Get(_parent), call.Stop);
        var spec = new StoreProtocol.LayerSpec(call.Get(_id), call.Get(_names), call.Get(_labels), documents);
        var expect = new StoreProtocol.Expectations(call.Get(_diffId), MaximumSize: call.Get(_limitSize), MaximumEntries: call.Get(_limitEntries));

        StoreProtocol.AppliedLayer applied;
        await using (var board = ProgressBoard.Start(call))
        {
            applied = await source.ApplyAsync(session.Client, parent, spec, expect, call.Get(_reuse), board, call.Stop);
        }

        foreach (var warning in applied.Layer.Warnings ?? []) call.Output.Warning(call.Verb, warning);
        if (call.Output.Json) call.Output.Document(LayerResult.Of(applied.Layer, clock.Elapsed.TotalSeconds, call.Get(_reuse) ? applied.Reused : null));
        else call.Output.Line(applied.Layer.Id.Value);
        return ExitCode.Done;
    }

    /// <summary>A file that the engine reads by itself, or a stream that only this process can read.</summary>
    private sealed class TarSource(string? path, Stream? stream) : IDisposable
    {
        internal static TarSource Open(string file)
        {
            if (file == "-")
            {
                if (!Console.IsInputRedirected) throw new FormatException("no tar: name a FILE, or pipe one to stdin");
                return new TarSource(null, new StandardInput());
            }

            var path = Path.GetFullPath(file);
            var handle = Libc.Open(path, OpenFlags.ReadOnly);
            if (Libc.FStat(handle).IsDirectory) throw new LinuxException("read", path, Errno.EISDIR);
            if (!Libc.FStat(handle).IsRegular) return new TarSource(null, new StandardInput(handle));
            handle.Dispose();
            return new TarSource(path, null);
        }

        internal async Task<StoreProtocol.AppliedLayer> ApplyAsync(
            StorageClient client, LayerId? parent, StoreProtocol.LayerSpec spec, StoreProtocol.Expectations expect, bool reuse, ProgressBoard board, CancellationToken stop)
        {
            if (stream is not null) return await client.ApplyAsync(stream, parent, spec, expect, board.Observer, reuse, stop);
            var item = new StoreProtocol.ChainItem(BlobSource.File(path!), spec, expect);
            return (await client.ApplyAsync(new StoreProtocol.Apply(parent, [item], reuse), board.Observer, stop))[0];
        }

        public void Dispose() => stream?.Dispose();
    }
}
