using StorageActors.Engine;
using StorageActors.Protocol;
using Xunit;

namespace StorageActors.EngineTests.Flows;

public sealed class ImageTests : StoreTest
{
    private static readonly ImageId First = ImageId.Of(DiffOf("config 1"));
    private static readonly ImageId Second = ImageId.Of(DiffOf("config 2"));

    [Fact]
    public async Task An_image_is_put_listed_found_and_its_documents_read()
    {
        await using var engine = await StartAsync();
        var layers = await LayersAsync(engine, "base", "top");

        var image = await engine.Client.PutImageAsync(Image(First, layers, "name:1"));

        Assert.Equal([First], (await engine.Client.ListImagesAsync()).Select(static one => one.Id));
        Assert.Equal(layers, image.Layers);
        Assert.Equal("config"u8.ToArray(), await engine.Client.GetBigDataAsync(First, "config"));
        Assert.Equal(First, (await engine.Client.ResolveAsync("name:1")).Image!.Id);
        Assert.Equal(First, (await engine.Client.ResolveAsync(First.Value[..12])).Image!.Id);
        Assert.Equal(StorageErrorCode.NotFound, await RefusedAsync(engine.Client.GetBigDataAsync(First, "absent")));
        Assert.Equal(StorageErrorCode.InUse, await RefusedAsync(engine.Client.RemoveAsync(layers[1])));
    }

    [Fact]
    public async Task Putting_again_adds_and_names_move()
    {
        await using var engine = await StartAsync();
        var layers = await LayersAsync(engine, "base");
        await engine.Client.PutImageAsync(Image(First, layers, "a", "b"));
        await engine.Client.PutImageAsync(Image(Second, layers, "b"));

        var again = await engine.Client.PutImageAsync(Image(First, layers, "c") with { Documents = [new BigData("more", [1])] });

        Assert.Equal(["a", "c"], again.Names);
        Assert.Equal(["config", "more"], again.BigData.Select(static item => item.Key));
        Assert.Equal(["b"], (await engine.Client.ResolveAsync("b")).Image!.Names);
        Assert.Equal("config"u8.ToArray(), await engine.Client.GetBigDataAsync(First, "config"));
        Assert.Empty((await LayerLifeTests.CheckAsync(engine)).Select(static finding => finding.ToString()));
    }

    [Fact]
    public async Task An_image_of_unknown_writable_or_disordered_layers_is_refused()
    {
        await using var engine = await StartAsync();
        var layers = await LayersAsync(engine, "base", "top");
        var writable = await engine.Client.CreateAsync(null);

        Assert.Equal(StorageErrorCode.NotFound, await RefusedAsync(engine.Client.PutImageAsync(Image(First, [LayerId.Parse("nothing")]))));
        Assert.Equal(StorageErrorCode.WrongState, await RefusedAsync(engine.Client.PutImageAsync(Image(First, [writable.Id]))));
        Assert.Equal(StorageErrorCode.InvalidArgument, await RefusedAsync(engine.Client.PutImageAsync(Image(First, [layers[1], layers[0]]))));
        Assert.Equal(StorageErrorCode.InvalidArgument, await RefusedAsync(engine.Client.PutImageAsync(Image(First, [layers[1]]))));
        await engine.Client.PutImageAsync(Image(First, layers));
        Assert.Equal(StorageErrorCode.AlreadyExists, await RefusedAsync(engine.Client.PutImageAsync(Image(First, [layers[0]]))));
        Assert.Single(In("images"));
    }

    [Fact]
    public async Task With_an_image_go_the_layers_that_nothing_else_needs()
    {
        await using var engine = await StartAsync();
        var layers = await LayersAsync(engine, "base", "middle", "top");
        var other = await LayersAsync(engine, "base", "middle", "other");
        await engine.Client.PutImageAsync(Image(First, layers));
        await engine.Client.PutImageAsync(Image(Second, other));

        var would = await engine.Client.Channel.AskAsync<CatalogProtocol.ImageRemoved>(new CatalogProtocol.RemoveImage(First, DryRun: true));
        Assert.Equal([layers[2]], would.Layers);
        Assert.Equal(2, (await engine.Client.ListImagesAsync()).Count);

        Assert.Equal([layers[2]], await engine.Client.RemoveImageAsync(First));
        Assert.Equal([other[2], other[1], other[0]], await engine.Client.RemoveImageAsync(Second));
        Assert.Equal(StorageErrorCode.NotFound, await RefusedAsync(engine.Client.RemoveImageAsync(First)));
        Assert.Empty(In("images"));
        await AssertAtRestAsync(engine);
    }

    [Fact]
    public async Task A_leased_or_named_layer_stays_when_its_image_goes()
    {
        await using var engine = await StartAsync();
        var layers = await LayersAsync(engine, "base", "top");
        await engine.Client.Channel.AskAsync<CatalogProtocol.Resolved>(new CatalogProtocol.ChangeNames(layers[0], null, ["kept"], []));
        await engine.Client.PutImageAsync(Image(First, layers));
        await engine.Client.MountAsync(layers[1], outlive: true);

        Assert.Empty(await engine.Client.RemoveImageAsync(First));
        await engine.Client.PutImageAsync(Image(First, layers));
        Assert.Equal([layers[1]], await engine.Client.RemoveImageAsync(First, force: true));

        Assert.Equal([layers[0]], (await engine.Client.ListLayersAsync()).Select(static layer => layer.Id));
        Assert.Empty(World.Mounts);
    }

    [Fact]
    public async Task The_same_image_put_by_many_at_once_is_one_image()
    {
        await using var engine = await StartAsync();
        var layers = await LayersAsync(engine, "base");

        var images = await Task.WhenAll(Enumerable.Range(0, 10).Select(index => engine.Client.PutImageAsync(Image(First, layers, $"name-{index}"))));

        Assert.All(images, static image => Assert.Equal(First, image.Id));
        Assert.Equal(10, (await engine.Client.ListImagesAsync())[0].Names.Count);
        Assert.Empty((await LayerLifeTests.CheckAsync(engine)).Select(static finding => finding.ToString()));
    }

    [Fact]
    public async Task A_blob_is_kept_with_its_image_and_read_back()
    {
        await using var engine = await StartAsync();
        var layers = await LayersAsync(engine, "base");
        var blob = new ImageBlob(DiffOf("compressed"), 10, Blob("compressed"));
        await engine.Client.PutImageAsync(Image(First, layers) with { Blobs = [blob] });
        var target = Path.Combine(Elsewhere, "blob");

        var read = await engine.Client.Channel.AskAsync<CatalogProtocol.BlobRead>(new CatalogProtocol.ReadBlob(First, blob.Digest, new BlobTarget(target)));

        Assert.Equal((blob.Digest, 10), (read.Digest, read.Size));
        Assert.Equal("compressed", await File.ReadAllTextAsync(target));
        Assert.Equal(
            StorageErrorCode.NotFound,
            await RefusedAsync(engine.Client.Channel.AskAsync<CatalogProtocol.BlobRead>(new CatalogProtocol.ReadBlob(First, DiffOf("other"), new BlobTarget(target)))));
        var wrong = blob with { Digest = DiffOf("other") };
        Assert.Equal(StorageErrorCode.DigestMismatch, await RefusedAsync(engine.Client.PutImageAsync(Image(Second, layers) with { Blobs = [wrong] })));
        Assert.Single(In("images"));
    }

    private static CatalogProtocol.PutImage Image(ImageId id, IReadOnlyList<LayerId> layers, params string[] names) =>
        new(id, names, layers, null, [new BigData("config", "config"u8.ToArray())]);

    private async Task<LayerId[]> LayersAsync(StorageEngine engine, params string[] texts) =>
        [.. (await engine.Client.ApplyAsync(Chain(texts) with { Reuse = true })).Select(static one => one.Layer.Id)];
}
