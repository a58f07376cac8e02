using System.Text;
using StorageActors.Engine;
using StorageActors.Protocol;
using StorageActors.Store;
using Xunit;

namespace StorageActors.EngineTests.Flows;

/// <summary>Documents of layers and images, put and removed one by one.</summary>
public sealed class DocumentTests : StoreTest
{
    private static readonly LayerId Layer = LayerId.Parse("some-layer");
    private static readonly ImageId Image = ImageId.Of(DiffOf("config"));

    [Fact]
    public async Task A_layer_keeps_documents_writable_or_sealed_until_it_goes()
    {
        await using var engine = await StartAsync();
        await engine.Client.CreateAsync(null, new StoreProtocol.LayerSpec(Layer));

        var one = await PutAsync(engine, "cache.1", "one");
        Assert.Equal(new BigDataItem("cache.1", 3, DiffOf("one")), Assert.Single(one.BigData!));
        await PutAsync(engine, "Mixed/Key", "two");
        await engine.Client.SealAsync(Layer);
        Assert.Equal(["Mixed/Key", "cache.1"], (await PutAsync(engine, "cache.1", "other")).BigData!.Select(static item => item.Key));

        Assert.Equal("other", await GetAsync(engine, "cache.1"));
        Assert.Equal("two", await GetAsync(engine, "Mixed/Key"));
        Assert.Equal(["=" + Convert.ToBase64String("Mixed/Key"u8), "cache.1"], Files());
        Assert.Equal(["Mixed/Key"], (await engine.Client.RemoveBigDataAsync(Layer, "cache.1")).BigData!.Select(static item => item.Key));
        Assert.Null((await engine.Client.RemoveBigDataAsync(Layer, "Mixed/Key")).BigData);
        Assert.Empty(Files());
        Assert.Equal(StorageErrorCode.NotFound, await RefusedAsync(engine.Client.RemoveBigDataAsync(Layer, "cache.1")));
        Assert.Equal(StorageErrorCode.NotFound, await RefusedAsync(engine.Client.GetBigDataAsync(Layer, "cache.1")));

        await PutAsync(engine, "last", "");
        Assert.Empty(await LayerLifeTests.CheckAsync(engine));
        await engine.Client.RemoveAsync(Layer);
        await AssertAtRestAsync(engine);
    }

    [Fact]
    public async Task An_image_takes_documents_besides_those_that_it_is_made_of()
    {
        await using var engine = await StartAsync();
        var layers = (await engine.Client.ApplyAsync(Chain("base"))).Select(static one => one.Layer.Id).ToArray();
        var blob = new ImageBlob(DiffOf("compressed"), 10, Blob("compressed"));
        var config = "sha256:" + Image;
        await engine.Client.PutImageAsync(new CatalogProtocol.PutImage(Image, ["n"], layers, null, [new BigData(config, [1]), new BigData("manifest", [2])], Blobs: [blob]));

        var put = await engine.Client.PutBigDataAsync(Image, new BigData("signature", [7]));
        Assert.Equal(["manifest", config, "signature"], put.BigData.Select(static item => item.Key));
        await engine.Client.PutBigDataAsync(Image, new BigData("signature", [8]));
        Assert.Equal([8], await engine.Client.GetBigDataAsync(Image, "signature"));
        Assert.Equal([1], await engine.Client.GetBigDataAsync(Image, config));
        foreach (var key in new[] { config, "manifest" })
        {
            Assert.Equal(StorageErrorCode.InvalidArgument, await RefusedAsync(engine.Client.PutBigDataAsync(Image, new BigData(key, [9]))));
            Assert.Equal(StorageErrorCode.InvalidArgument, await RefusedAsync(engine.Client.RemoveBigDataAsync(Image, key)));
        }

        var left = await engine.Client.RemoveBigDataAsync(Image, "signature");
        Assert.Equal(["n"], left.Names);
        Assert.Equal([blob.Digest], left.Blobs!);
        Assert.Equal(StorageErrorCode.NotFound, await RefusedAsync(engine.Client.RemoveBigDataAsync(Image, "signature")));
        var target = Path.Combine(Elsewhere, "blob");
        await engine.Client.Channel.AskAsync<CatalogProtocol.BlobRead>(new CatalogProtocol.ReadBlob(Image, blob.Digest, new BlobTarget(target)));
        Assert.Equal("compressed", await File.ReadAllTextAsync(target));
        Assert.Empty(await CheckFullyAsync(engine));
    }

    [Fact]
    public async Task What_is_no_document_or_nobodys_is_refused_and_leaves_nothing()
    {
        await using var engine = await StartAsync();
        await engine.Client.CreateAsync(null, new StoreProtocol.LayerSpec(Layer));
        var document = new BigData("key", [1]);

        Assert.Equal(StorageErrorCode.NotFound, await RefusedAsync(engine.Client.PutBigDataAsync(LayerId.Parse("nothing"), document)));
        Assert.Equal(StorageErrorCode.NotFound, await RefusedAsync(engine.Client.PutBigDataAsync(Image, document)));
        Assert.Equal(StorageErrorCode.InvalidArgument, await RefusedAsync(engine.Client.PutBigDataAsync(Layer, document with { Key = "" })));
        Assert.Equal(StorageErrorCode.InvalidArgument, await RefusedAsync(engine.Client.PutBigDataAsync(Layer, document with { Key = "a\nb" })));
        Assert.Equal(StorageErrorCode.InvalidArgument, await RefusedAsync(engine.Client.PutBigDataAsync(Layer, document with { Key = new string('k', 201) })));
        Assert.Equal(StorageErrorCode.InvalidArgument, await RefusedAsync(engine.Client.PutBigDataAsync(Layer, document with { Content = new byte[(16 << 20) + 1] })));
        foreach (var command in new StoreProtocol.ICommand[]
        {
            new CatalogProtocol.PutBigData(null, null, document), new CatalogProtocol.PutBigData(Layer, Image, document),
            new CatalogProtocol.RemoveBigData(null, null, "key"), new CatalogProtocol.RemoveBigData(Layer, Image, "key"),
            new CatalogProtocol.GetBigData(null, "key"), new CatalogProtocol.GetBigData(Image, "key", Layer),
        })
        {
            var refused = Assert.IsType<StoreProtocol.Refused>(await engine.Client.Channel.AskAsync<StoreProtocol.IReply>(command));
            Assert.Equal(StorageErrorCode.InvalidArgument, refused.Error.Code);
        }

        Assert.False(Directory.Exists(Path.Combine(Root, "directories", Layer.Value, "documents")));
        Assert.Empty(await LayerLifeTests.CheckAsync(engine));
    }

    [Fact]
    public async Task Documents_that_many_put_at_once_are_whole_and_each_is_one_that_was_put()
    {
        await using var engine = await StartAsync();
        await engine.Client.CreateAsync(null, new StoreProtocol.LayerSpec(Layer));

        await Task.WhenAll(Enumerable.Range(0, 24).Select(async number =>
        {
            await PutAsync(engine, $"k{number % 4}", $"content {number}");
            var read = await GetAsync(engine, $"k{number % 4}");
            Assert.Equal(number % 4, int.Parse(read["content ".Length..], System.Globalization.CultureInfo.InvariantCulture) % 4);
            await engine.Client.Channel.AskAsync<CatalogProtocol.Resolved>(
                new CatalogProtocol.ChangeLabels(Layer, new Dictionary<string, string>(StringComparer.Ordinal) { [$"l{number}"] = "x" }));
        }));

        Assert.Equal(["k0", "k1", "k2", "k3"], Files());
        Assert.Empty(await CheckFullyAsync(engine));
    }

    [Fact]
    public async Task Documents_are_there_after_a_restart_and_when_the_journal_was_lost()
    {
        await using (var engine = await StartAsync())
        {
            await engine.Client.CreateAsync(null, new StoreProtocol.LayerSpec(Layer));
            await PutAsync(engine, "kept", "content");
        }

        await using (var engine = await StartAsync()) Assert.Equal("content", await GetAsync(engine, "kept"));
        foreach (var file in Directory.GetFiles(Root, "journal.db*")) File.Delete(file);
        await using var again = await StartAsync();
        Assert.Equal("content", await GetAsync(again, "kept"));
        Assert.Empty(await CheckFullyAsync(again));
    }

    /// <summary>Every state between the first write and the last that a death may leave.</summary>
    [Theory]
    [InlineData("staged")]
    [InlineData("journaled")]
    [InlineData("removed")]
    public async Task A_crash_leaves_a_document_as_it_was_or_as_it_was_to_be(string died)
    {
        LayerRecord old;
        LayerRecord now;
        var directory = Path.Combine(Root, "directories", Layer.Value);
        await using (var engine = await StartAsync())
        {
            await engine.Client.CreateAsync(null, new StoreProtocol.LayerSpec(Layer));
            old = await PutAsync(engine, "key", "old");
            now = died switch
            {
                "journaled" => await PutAsync(engine, "key", "new"),
                "removed" => await engine.Client.RemoveBigDataAsync(Layer, "key"),
                _ => old,
            };
        }

        if (died != "staged") LayerFile.Write(directory, old);
        await File.WriteAllTextAsync(Path.Combine(directory, "documents", "key"), "old");
        if (died != "removed") LayerDocuments.Stage(directory, new BigDataItem("key", 3, DiffOf("new")), "new"u8);
        await File.WriteAllBytesAsync(Path.Combine(Root, "journal.db-wal"), []); // The engine did not come to its end.

        await using var again = await StartAsync();
        Assert.Equivalent(now, Assert.Single(await again.Client.ListLayersAsync()), strict: true);
        Assert.Equivalent(now, LayerFile.Read(directory, Layer), strict: true);
        Assert.Equal(died == "removed" ? [] : ["key"], Files());
        if (died != "removed") Assert.Equal(died == "journaled" ? "new" : "old", await GetAsync(again, "key"));
        Assert.Empty(await CheckFullyAsync(again));
    }

    [Fact]
    public async Task Content_that_has_no_name_yet_is_read_all_the_same()
    {
        await using var engine = await StartAsync();
        await engine.Client.CreateAsync(null, new StoreProtocol.LayerSpec(Layer));
        var item = (await PutAsync(engine, "key", "new")).BigData![0];
        var directory = Path.Combine(Root, "directories", Layer.Value);
        await File.WriteAllTextAsync(Path.Combine(directory, "documents", "key"), "old");
        LayerDocuments.Stage(directory, item, "new"u8);

        Assert.Equal("new", await GetAsync(engine, "key"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_document_that_was_spoiled_or_lost_is_found_and_can_be_put_again_or_removed(bool lost)
    {
        await using var engine = await StartAsync();
        await engine.Client.CreateAsync(null, new StoreProtocol.LayerSpec(Layer));
        await PutAsync(engine, "key", "right");
        var file = Path.Combine(Root, "directories", Layer.Value, "documents", "key");
        if (lost) File.Delete(file);
        else await File.WriteAllTextAsync(file, "wrong");

        Assert.Equal(StorageErrorCode.Damaged, await RefusedAsync(engine.Client.GetBigDataAsync(Layer, "key")));
        var finding = Assert.Single(await CheckFullyAsync(engine));
        Assert.Equal(("document-mismatch", Layer.Value, false), (finding.Kind, finding.Subject, finding.Repaired));
        await PutAsync(engine, "key", "right");
        Assert.Equal("right", await GetAsync(engine, "key"));
        Assert.Empty(await CheckFullyAsync(engine));
    }

    [Fact]
    public async Task A_record_has_so_many_documents_and_no_more()
    {
        await using var engine = await StartAsync();
        await engine.Client.PutImageAsync(new CatalogProtocol.PutImage(Image, [], [], null, [.. Enumerable.Range(0, 1000).Select(static number => new BigData($"d{number}", []))]));

        Assert.Equal(StorageErrorCode.LimitExceeded, await RefusedAsync(engine.Client.PutBigDataAsync(Image, new BigData("more", []))));
        Assert.Equal(1000, (await engine.Client.PutBigDataAsync(Image, new BigData("d7", [7]))).BigData.Count);
    }

    private static async Task<IReadOnlyList<Finding>> CheckFullyAsync(StorageEngine engine) => await engine.Client.CheckAsync(full: true);

    private static Task<LayerRecord> PutAsync(StorageEngine engine, string key, string text) =>
        engine.Client.PutBigDataAsync(Layer, new BigData(key, Encoding.UTF8.GetBytes(text)));

    private static async Task<string> GetAsync(StorageEngine engine, string key) => Encoding.UTF8.GetString(await engine.Client.GetBigDataAsync(Layer, key));

    private string[] Files() => In(Path.Combine("directories", Layer.Value, "documents"));
}
