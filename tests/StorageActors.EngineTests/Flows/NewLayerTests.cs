using System.Text;
using System.Text.Json;
using StorageActors.Engine;
using StorageActors.Protocol;
using StorageActors.Store;
using Xunit;

namespace StorageActors.EngineTests.Flows;

/// <summary>What a layer gets with the command that makes it, or finds it: documents and labels.</summary>
public sealed class NewLayerTests : StoreTest
{
    private static readonly LayerId Layer = LayerId.Parse("some-layer");
    private static readonly BigData[] Documents = [new("b.json", "{}"u8.ToArray()), new("A Note", "kept"u8.ToArray())];

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_layer_has_its_documents_from_the_start(bool writable)
    {
        await using (var engine = await StartAsync())
        {
            var spec = new StoreProtocol.LayerSpec(Layer, ["n"], Documents: Documents);
            var made = writable ? await engine.Client.CreateAsync(null, spec) : Assert.Single(await engine.Client.ApplyAsync(new StoreProtocol.Apply(null, [Item("a") with { Spec = spec }]))).Layer;
            Assert.Equal([new BigDataItem("A Note", 4, DiffOf("kept")), new BigDataItem("b.json", 2, DiffOf("{}"))], made.BigData!);
            Assert.Equal("kept"u8.ToArray(), await engine.Client.GetBigDataAsync(Layer, "A Note"));
            await engine.Client.PutBigDataAsync(Layer, new BigData("c", [1]));
            await engine.Client.RemoveBigDataAsync(Layer, "b.json");
            Assert.Empty(await CheckFullyAsync(engine));
        }

        foreach (var file in Directory.GetFiles(Root, "journal.db*")) File.Delete(file);
        await using var again = await StartAsync();
        Assert.Equal("kept"u8.ToArray(), await again.Client.GetBigDataAsync(Layer, "A Note"));
        Assert.Equal([1], await again.Client.GetBigDataAsync(Layer, "c"));
        Assert.Empty(await CheckFullyAsync(again));
    }

    [Fact]
    public async Task Documents_that_cannot_be_taken_refuse_the_layer_before_anything_is_made()
    {
        await using var engine = await StartAsync();
        foreach (var documents in new BigData[][]
        {
            [new("a", [1]), new("a", [2])], [new("", [1])], [new("a\nb", [1])], [new("a", new byte[(16 << 20) + 1])],
        })
        {
            Assert.Equal(StorageErrorCode.InvalidArgument, await RefusedAsync(engine.Client.CreateAsync(null, new StoreProtocol.LayerSpec(Layer, Documents: documents))));
        }

        BigData[] many = [.. Enumerable.Range(0, 1001).Select(static number => new BigData($"k{number}", []))];
        Assert.Equal(StorageErrorCode.LimitExceeded, await RefusedAsync(engine.Client.CreateAsync(null, new StoreProtocol.LayerSpec(Layer, Documents: many))));
        var large = new byte[11 << 20];
        BigData[] heavy = [new("a", large), new("b", large), new("c", large)];
        Assert.Equal(StorageErrorCode.LimitExceeded, await RefusedAsync(engine.Client.CreateAsync(null, new StoreProtocol.LayerSpec(Layer, Documents: heavy))));
        StoreProtocol.ChainItem[] chain = [Item("a") with { Spec = new StoreProtocol.LayerSpec(Documents: heavy[..2]) }, Item("b") with { Spec = new StoreProtocol.LayerSpec(Documents: heavy[2..]) }];
        Assert.Equal(StorageErrorCode.LimitExceeded, await RefusedAsync(engine.Client.ApplyAsync(new StoreProtocol.Apply(null, chain))));
        var item = Item("a") with { Spec = new StoreProtocol.LayerSpec(Layer, Documents: Documents) };
        Assert.Equal(StorageErrorCode.InvalidArgument, await RefusedAsync(engine.Client.ApplyAsync(new StoreProtocol.Apply(null, [item], Reuse: true))));
        var wrong = item with { Expect = new StoreProtocol.Expectations(DiffOf("b")) };
        Assert.Equal(StorageErrorCode.DigestMismatch, await RefusedAsync(engine.Client.ApplyAsync(new StoreProtocol.Apply(null, [wrong]))));

        Assert.Empty(await engine.Client.ListLayersAsync());
        Assert.Empty(Features("readOnly"));
        await AssertAtRestAsync(engine);
    }

    [Fact]
    public async Task A_store_says_that_it_has_documents_of_layers_when_the_first_is_kept()
    {
        await using (var engine = await StartAsync())
        {
            var image = ImageId.Of(DiffOf("config"));
            var layers = (await engine.Client.ApplyAsync(Chain("base"))).Select(static one => one.Layer.Id).ToArray();
            await engine.Client.PutImageAsync(new CatalogProtocol.PutImage(image, [], layers, null, [new BigData("manifest", [2])]));
            await engine.Client.PutBigDataAsync(image, new BigData("signature", [7]));
            Assert.Equal(StorageErrorCode.NotFound, await RefusedAsync(engine.Client.PutBigDataAsync(LayerId.Parse("nothing"), Documents[0])));
            Assert.Empty(Features("readOnly"));

            await engine.Client.PutBigDataAsync(layers[0], Documents[0]);
            await engine.Client.PutBigDataAsync(layers[0], Documents[1]);
            Assert.Equal(["layer-documents"], Features("readOnly"));
            Assert.Empty(Features("incompatible"));
        }

        await using (var engine = await StartAsync()) Assert.Empty(await CheckFullyAsync(engine));
        var format = Path.Combine(Root, "format.json");
        await File.WriteAllTextAsync(format, (await File.ReadAllTextAsync(format)).Replace("layer-documents", "something-later", StringComparison.Ordinal));
        var refused = (await Assert.ThrowsAsync<StorageException>(() => StartAsync())).Error;
        Assert.Equal(StorageErrorCode.UnknownFormat, refused.Code);
        Assert.Contains("something-later", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_new_store_with_documents_given_at_creation_says_so_too()
    {
        await using var engine = await StartAsync();
        await engine.Client.CreateAsync(null, new StoreProtocol.LayerSpec(Layer, Documents: Documents));
        Assert.Equal(["layer-documents"], Features("readOnly"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_layer_that_is_taken_again_gets_the_labels_of_the_command(bool isDigestKnown)
    {
        await using var engine = await StartAsync();
        var first = Assert.Single(await engine.Client.ApplyAsync(new StoreProtocol.Apply(null, [Labelled("base", false, null, ("k", "old"), ("gone", "x"))]))).Layer;

        var again = Assert.Single(await engine.Client.ApplyAsync(new StoreProtocol.Apply(null, [Labelled("base", isDigestKnown, "n", ("k", "new"), ("l", "1"), ("gone", ""))], Reuse: true)));

        Assert.Equal((first.Id, true), (again.Layer.Id, again.Reused));
        Assert.Equal([new("k", "new"), new("l", "1")], again.Layer.Labels);
        Assert.Equal(["n"], again.Layer.Names);
        var inFile = LayerFile.Read(Path.Combine(Root, "directories", first.Id.Value), first.Id);
        Assert.Equal([new("k", "new"), new("l", "1")], inFile.Labels);
        Assert.Equal(
            StorageErrorCode.InvalidArgument,
            await RefusedAsync(engine.Client.ApplyAsync(new StoreProtocol.Apply(null, [Labelled("base", isDigestKnown, null, ("no key", "1"))], Reuse: true))));
        Assert.Empty(await CheckFullyAsync(engine));
    }

    private static Task<IReadOnlyList<Finding>> CheckFullyAsync(StorageEngine engine) => LayerLifeTests.CheckAsync(engine, full: true);

    private StoreProtocol.ChainItem Labelled(string text, bool known, string? name, params (string Key, string Value)[] labels) => Item(text, known: known) with
    {
        Spec = new StoreProtocol.LayerSpec(null, name is null ? null : [name], labels.ToDictionary(static label => label.Key, static label => label.Value, StringComparer.Ordinal)),
    };

    private string[] Features(string kind)
    {
        using var format = JsonDocument.Parse(File.ReadAllText(Path.Combine(Root, "format.json"), Encoding.UTF8));
        return [.. format.RootElement.GetProperty("features").GetProperty(kind).EnumerateArray().Select(static word => word.GetString()!)];
    }
}
