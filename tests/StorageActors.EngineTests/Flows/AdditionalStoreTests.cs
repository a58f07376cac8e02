using Akka.Configuration;
using StorageActors.Client;
using StorageActors.Engine;
using StorageActors.EngineTests.Images;
using StorageActors.Images;
using StorageActors.Linux;
using StorageActors.Protocol;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.EngineTests.Flows;

/// <summary>Stores behind a store: their layers are seen, built on and read, and nothing of theirs is ever touched. With the real drivers.</summary>
public sealed class AdditionalStoreTests : IDisposable
{
    private const string Image = "image:1.0";
    private static readonly LayerId Base = LayerId.Parse("base");
    private static readonly LayerId Top = LayerId.Parse("top");
    private readonly TempDirectory _home = new();
    private readonly LayoutBuilder _layout = new();

    public AdditionalStoreTests() => _layout.Tagged("1.0", _layout.Image(["a", "b"]));

    private string Own => _home["own"];

    private string Other => _home["other"];

    [SkippableTheory]
    [InlineData("overlay")]
    [InlineData("vfs")]
    public async Task Layers_on_a_read_only_file_system_are_listed_read_built_on_and_mounted_below_others(string driver)
    {
        RequiredTiers.SkipUnlessRoot();
        using var disk = LoopFileSystem.Shared(FileSystemKind.Ext4).NewDirectory();
        var image = await FillAsync(disk.Path, driver);
        var top = image.Layers[^1];
        Command.Run("mount", "--bind", disk.Path, disk.Path);
        try
        {
            Command.Run("mount", "-o", "remount,bind,ro", disk.Path);
            await using (var engine = await StartAsync(Own, driver, disk.Path))
            {
                var store = engine.Client;
                Assert.Equal(image.Layers, (await store.ListLayersAsync()).Select(static layer => layer.Id));
                Assert.All(await store.ListLayersAsync(), layer => Assert.Equal(disk.Path, layer.AdditionalStore));
                Assert.Equal(disk.Path, (await store.ResolveAsync(Image)).Image!.AdditionalStore);
                Assert.Equal(top, (await store.ResolveAsync(top.Value[..12])).Layer!.Id);
                Assert.NotEmpty(await store.GetBigDataAsync(image.Id, "manifest"));
                Assert.Equal(LayoutBuilder.Tar("b"), await DiffAsync(store, top));
                Assert.Single(await store.ChangesAsync(top));
                Assert.Null(ReadingChannel.TryOpen(Own));

                var box = (await store.CreateAsync(top, new StoreProtocol.LayerSpec(LayerId.Parse("box")))).Id;
                await using (var lease = await store.MountAsync(box))
                {
                    Assert.Equal("a", await File.ReadAllTextAsync(Path.Combine(lease.Path, "a")));
                    await File.WriteAllTextAsync(Path.Combine(lease.Path, "a"), "changed");
                    File.Delete(Path.Combine(lease.Path, "b"));
                }

                Assert.Equal(2, (await store.ChangesAsync(box)).Count);
                await store.SealAsync(box);
                await store.ApplyAsync(new MemoryStream(LayoutBuilder.Tar("c")), box, new StoreProtocol.LayerSpec(LayerId.Parse("upper")));
                Assert.Empty((await store.CheckAsync(full: true)).Select(static finding => finding.ToString()));
            }

            await using (var engine = await StartAsync(Own, driver, disk.Path))
            {
                await using (var lease = await engine.Client.MountAsync(LayerId.Parse("upper")))
                    Assert.Equal(["a", "c"], Directory.EnumerateFiles(lease.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal));
                await engine.Client.RemoveAsync(LayerId.Parse("upper"));
                await engine.Client.RemoveAsync(LayerId.Parse("box"));
                Assert.Equal(image.Layers, (await engine.Client.ListLayersAsync()).Select(static layer => layer.Id));
            }
        }
        finally
        {
            TempDirectory.Unmount(disk.Path);
        }
    }

    [Fact]
    public async Task Nothing_of_theirs_is_changed_and_every_attempt_is_refused()
    {
        var image = await FillAsync(Other, "vfs");
        var top = image.Layers[^1];
        var before = Tree(Other);
        await using (var engine = await StartAsync(Own, "vfs", Other))
        {
            var store = engine.Client;
            Assert.Equal(StorageErrorCode.WrongState, await RefusedAsync(store.RemoveAsync(top, force: true)));
            Assert.Equal(StorageErrorCode.WrongState, await RefusedAsync(store.RemoveImageAsync(image.Id, force: true)));
            Assert.Equal(StorageErrorCode.WrongState, await RefusedAsync(NameAsync(store, top, null, "mine")));
            Assert.Equal(StorageErrorCode.WrongState, await RefusedAsync(NameAsync(store, null, image.Id, "mine")));
            Assert.Equal(StorageErrorCode.WrongState, await RefusedAsync(store.Channel.AskAsync<CatalogProtocol.Resolved>(
                new CatalogProtocol.ChangeLabels(top, new Dictionary<string, string> { ["k"] = "v" }))));
            Assert.Equal(StorageErrorCode.WrongState, await RefusedAsync(store.MountAsync(top)));
            Assert.Equal(StorageErrorCode.WrongState, await RefusedAsync(store.UnmountAsync(top)));
            Assert.Equal(StorageErrorCode.WrongState, await RefusedAsync(store.SealAsync(top)));
            Assert.Equal(StorageErrorCode.WrongState, await RefusedAsync(store.Channel.AskAsync<StoreProtocol.Usage>(new StoreProtocol.GetUsage(top))));
            Assert.Equal(StorageErrorCode.AlreadyExists, await RefusedAsync(store.CreateAsync(null, new StoreProtocol.LayerSpec(top))));
            Assert.Empty((await store.CollectGarbageAsync(wait: true)).Layers);
            Assert.Empty(await store.CheckAsync(full: true, repair: true));
        }

        Assert.Equal(before, Tree(Other));
    }

    [Fact]
    public async Task Content_that_they_have_is_not_copied_and_an_image_of_it_can_be_the_stores_own()
    {
        var image = await FillAsync(Other, "vfs");
        await using var engine = await StartAsync(Own, "vfs", Other);
        var store = engine.Client;
        var imported = await ImportAsync(store);
        Assert.Equal(image.Layers, imported.Image.Layers);
        Assert.All(imported.Layers, static layer => Assert.True(layer.Reused));
        Assert.Null(Assert.Single(await store.ListImagesAsync()).AdditionalStore);
        Assert.Empty(Directory.EnumerateDirectories(Path.Combine(Own, "vfs")));

        // A layer that is to have a name of its own is a copy.
        var named = new StoreProtocol.ChainItem(BlobSource.File(TarFile("a")), new StoreProtocol.LayerSpec(null, ["mine"]), new StoreProtocol.Expectations(Digest.Of(LayoutBuilder.Tar("a"))));
        var copy = Assert.Single(await store.ApplyAsync(new StoreProtocol.Apply(null, [named], Reuse: true)));
        Assert.False(copy.Reused);
        Assert.Null(copy.Layer.AdditionalStore);

        Assert.Empty(await store.RemoveImageAsync(image.Id));
        Assert.Equal(Other, (await store.ResolveAsync(Image)).Image!.AdditionalStore);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Of_one_id_or_name_the_stores_own_counts_and_what_rests_on_another_content_is_refused(bool same)
    {
        await using (var engine = await StartAsync(Other, "vfs"))
        {
            await ApplyAsync(engine.Client, "a", Base, null, "shared-name");
            await ApplyAsync(engine.Client, "b", Top, Base);
        }

        await using (var engine = await StartAsync(Own, "vfs")) await ApplyAsync(engine.Client, same ? "a" : "x", Base, null, "own-name");
        await using var both = await StartAsync(Own, "vfs", Other);
        var store = both.Client;
        Assert.Equal([(Top, Other), (Base, null)], (await store.ListLayersAsync()).Select(static layer => (layer.Id, layer.AdditionalStore)));
        Assert.Null((await store.ResolveAsync("base")).Layer!.AdditionalStore);
        Assert.Equal(StorageErrorCode.NotFound, await RefusedAsync(store.ResolveAsync("shared-name")));
        var other = LayerId.Parse("other");
        await ApplyAsync(store, "y", other, null, "shared-name");
        Assert.Equal(other, (await store.ResolveAsync("shared-name")).Layer!.Id);
        if (same)
        {
            Assert.Equal(Top, (await store.CreateAsync(Top)).Parent);
            Assert.Equal(StorageErrorCode.InUse, await RefusedAsync(store.RemoveAsync(Base)));
        }
        else
        {
            Assert.Equal(StorageErrorCode.Damaged, await RefusedAsync(store.CreateAsync(Top)));
            await store.RemoveAsync(Base);
        }
    }

    [Fact]
    public async Task Without_them_what_rests_on_theirs_is_refused_until_they_are_back()
    {
        await FillAsync(Other, "vfs");
        LayerId box;
        await using (var engine = await StartAsync(Own, "vfs", Other))
            box = (await engine.Client.CreateAsync((await engine.Client.ResolveAsync(Image)).Image!.Layers[^1])).Id;
        await using (var engine = await StartAsync(Own, "vfs"))
        {
            Assert.Equal(StorageErrorCode.Damaged, await RefusedAsync(engine.Client.MountAsync(box)));
            Assert.Null(Assert.Single(await engine.Client.ListLayersAsync()).Damage);
        }

        await using (var engine = await StartAsync(Own, "vfs", Other))
        await using (var lease = await engine.Client.MountAsync(box))
            Assert.Equal("a", await File.ReadAllTextAsync(Path.Combine(lease.Path, "a")));
    }

    [Fact]
    public async Task One_that_somebody_owns_or_that_was_cut_off_is_read_without_a_trace()
    {
        var cut = _home["cut"];
        await using (var owner = await StartAsync(Other, "vfs"))
        {
            var image = (await ImportAsync(owner.Client)).Image;
            Command.Run("cp", "-a", Other, cut);
            await using var engine = await StartAsync(Own, "vfs", Other);
            Assert.Equal(image.Layers, (await engine.Client.ListLayersAsync()).Select(static layer => layer.Id));
        }

        // The last writes are in the journal's log, and its index is lost: reading it in place would make one.
        File.Delete(Path.Combine(cut, "journal.db-shm"));
        Assert.True(new FileInfo(Path.Combine(cut, "journal.db-wal")).Length > 0);
        var before = Tree(cut);
        await using (var engine = await StartAsync(Own, "vfs", cut)) Assert.Equal(2, (await engine.Client.ListLayersAsync()).Count);
        Assert.Equal(before, Tree(cut));
    }

    [Fact]
    public async Task What_is_no_store_or_cannot_be_used_is_refused_when_the_store_is_opened()
    {
        await FillAsync(Other, "vfs");
        Assert.Equal(StorageErrorCode.NotFound, await RefusedAsync(StartAsync(Own, "vfs", _home["nothing"])));
        Assert.Equal(StorageErrorCode.InvalidArgument, await RefusedAsync(StartAsync(Own, "vfs", "not/absolute")));
        Assert.Equal(StorageErrorCode.InvalidArgument, await RefusedAsync(StartAsync(Other, "vfs", Other + "/.")));
        var format = Path.Combine(Other, "format.json");
        await File.WriteAllTextAsync(format, (await File.ReadAllTextAsync(format)).Replace("\"vfs\"", "\"overlay\"", StringComparison.Ordinal));
        Assert.Equal(StorageErrorCode.Unsupported, await RefusedAsync(StartAsync(Own, "vfs", Other)));
    }

    public void Dispose()
    {
        _layout.Dispose();
        _home.Dispose();
    }

    private static Task<StorageEngine> StartAsync(string root, string driver, params string[] additional) => StorageEngine.StartAsync(ConfigurationFactory.ParseString($$"""
        akka.actor.serialize-messages = on
        akka.stdout-loglevel = WARNING
        akka.loglevel = WARNING
        storage-actors {
          root = "{{root}}"
          driver = {{driver}}
          additional-stores = [{{string.Join(',', additional.Select(static path => $"\"{path}\""))}}]
        }
        """));

    /// <summary>A store with the image in it, closed.</summary>
    private async Task<ImageRecord> FillAsync(string root, string driver)
    {
        await using var engine = await StartAsync(root, driver);
        return (await ImportAsync(engine.Client)).Image;
    }

    private Task<ImportResult> ImportAsync(StorageClient store) => ImageImporter.ImportAsync(store, ImageLocation.Parse($"oci:{_layout.Path}:1.0"), new ImportOptions());

    private static Task ApplyAsync(StorageClient store, string file, LayerId id, LayerId? parent, params string[] names) =>
        store.ApplyAsync(new MemoryStream(LayoutBuilder.Tar(file)), parent, new StoreProtocol.LayerSpec(id, names));

    private static Task NameAsync(StorageClient store, LayerId? layer, ImageId? image, string name) =>
        store.Channel.AskAsync<CatalogProtocol.Resolved>(new CatalogProtocol.ChangeNames(layer, image, [name], []));

    private static async Task<byte[]> DiffAsync(StorageClient store, LayerId layer)
    {
        using var tar = new MemoryStream();
        await store.WriteDiffAsync(layer, tar);
        return tar.ToArray();
    }

    private string TarFile(string file)
    {
        var path = _home[$"{file}.tar"];
        File.WriteAllBytes(path, LayoutBuilder.Tar(file));
        return path;
    }

    private static IReadOnlyList<string> Tree(string root) => TreeSnapshot.Capture(root).Lines;

    private static async Task<StorageErrorCode> RefusedAsync(Task command) => (await Assert.ThrowsAsync<StorageException>(() => command)).Error.Code;
}
