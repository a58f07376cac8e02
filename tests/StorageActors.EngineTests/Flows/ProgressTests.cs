using StorageActors.Engine;
using StorageActors.EngineTests.Support;
using StorageActors.Protocol;
using Xunit;

namespace StorageActors.EngineTests.Flows;

/// <summary>What is told of commands that take as long as content is large, besides extractions.</summary>
public sealed class ProgressTests : StoreTest
{
    [Fact]
    public async Task Diffs_blobs_and_commits_tell_how_far_they_are()
    {
        await using var engine = await StartAsync();
        var layer = (await engine.Client.ApplyAsync(Chain("12345")))[0].Layer.Id;
        var blob = new ImageBlob(DiffOf("compressed"), 10, Blob("compressed"));
        var image = ImageId.Of(DiffOf("config"));
        await engine.Client.PutImageAsync(new CatalogProtocol.PutImage(image, [], [layer], null, [], Blobs: [blob]));
        var open = await engine.Client.CreateAsync(layer);

        var diff = await WatchAsync(engine, ticket => engine.Client.WriteDiffAsync(new StoreProtocol.WriteDiff(layer, null, File("diff"), Ticket: ticket)));
        var packed = await WatchAsync(engine, ticket => engine.Client.WriteDiffAsync(new StoreProtocol.WriteDiff(layer, null, File("gz"), LayerCompression.Gzip, Ticket: ticket)));
        var kept = await WatchAsync(engine, ticket => engine.Client.ReadBlobAsync(new CatalogProtocol.ReadBlob(image, blob.Digest, File("blob"), ticket)));
        await System.IO.File.WriteAllTextAsync(Path.Combine(Root, "directories", open.Id.Value, "diff", "content"), "written");
        var @sealed = await WatchAsync(engine, ticket => engine.Client.SealAsync(new StoreProtocol.Seal(open.Id, Ticket: ticket)));
        using var target = new MemoryStream();
        await engine.Client.WriteDiffAsync(layer, target, progress: new Observer());
        Assert.Equal(5, target.Length);

        var again = await engine.Client.WriteDiffAsync(new StoreProtocol.WriteDiff(layer, null, File("gz"), LayerCompression.Gzip));
        Assert.Equal(new FileInfo(Path.Combine(Elsewhere, "gz")).Length, again.BlobSize);

        foreach (var written in new[] { diff, packed })
        {
            Assert.Equal((StagingPhase.Writing, 0, 5L), (written[0].Phase, written[0].BytesRead, written[0].BytesTotal));
            Assert.Equal((StagingPhase.Done, 5, 5L), (written[^1].Phase, written[^1].BytesRead, written[^1].BytesTotal));
        }

        Assert.Equal((StagingPhase.Writing, StagingPhase.Done, 10), (kept[0].Phase, kept[^1].Phase, kept[^1].BytesRead));
        Assert.Equal((StagingPhase.Sealing, StagingPhase.Done, 7), (@sealed[0].Phase, @sealed[^1].Phase, @sealed[^1].BytesRead));
        Assert.Null(@sealed[0].BytesTotal);
        Assert.Equal((await engine.Client.ResolveAsync(open.Id.Value)).Layer!.Entries!.Value, @sealed[^1].Entries);
    }

    [Fact]
    public async Task What_is_refused_has_failed()
    {
        await using var engine = await StartAsync();
        var nothing = LayerId.Parse("nothing");

        foreach (var command in new Func<TicketId, Task>[]
        {
            ticket => engine.Client.WriteDiffAsync(new StoreProtocol.WriteDiff(nothing, null, File("diff"), Ticket: ticket)),
            ticket => engine.Client.ReadBlobAsync(new CatalogProtocol.ReadBlob(ImageId.Of(DiffOf("none")), DiffOf("blob"), File("blob"), ticket)),
            ticket => engine.Client.SealAsync(new StoreProtocol.Seal(nothing, Ticket: ticket)),
        })
        {
            Assert.Equal(StagingPhase.Failed, (await WatchAsync(engine, async ticket => Assert.Equal(StorageErrorCode.NotFound, await RefusedAsync(command(ticket)))))[^1].Phase);
        }
    }

    private BlobTarget File(string name) => new(Path.Combine(Elsewhere, name));

    /// <summary>All that was told, to the last of it: that may come after the answer.</summary>
    private static async Task<IReadOnlyList<StagingProgress>> WatchAsync(StorageEngine engine, Func<TicketId, Task> run)
    {
        var (ticket, observer) = (TicketId.New(), new Observer());
        using var watch = engine.Client.Channel.WatchProgress(ticket, observer);
        await run(ticket);
        await observer.Ended.WaitAsync(Patient.Limit);
        return observer.Seen;
    }

    private sealed class Observer : IProgress<StagingProgress>
    {
        private readonly List<StagingProgress> _seen = [];
        private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal Task Ended => _ended.Task;

        internal IReadOnlyList<StagingProgress> Seen
        {
            get
            {
                lock (_seen) return [.. _seen];
            }
        }

        public void Report(StagingProgress value)
        {
            lock (_seen) _seen.Add(value);
            if (value.Phase is StagingPhase.Done or StagingPhase.Failed) _ended.TrySetResult();
        }
    }
}
