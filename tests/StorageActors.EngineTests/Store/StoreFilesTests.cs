using System.Text;
using StorageActors.Drivers;
using StorageActors.DriverOperations;
using StorageActors.EngineTests.Support;
using StorageActors.Linux;
using StorageActors.Protocol;
using StorageActors.Store;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.EngineTests.Store;

public sealed class StoreFilesTests : IDisposable
{
    private static readonly LayerId Layer = LayerId.Parse("some-layer");
    private static readonly ImageId Image = ImageId.Of(Digest.EmptyLayer);
    private readonly TestStore _store = new();

    private StoreLayout Layout => _store.Layout;

    private static LayerRecord Record => new(
        Layer, LayerId.Parse("below"), LayerKind.Sealed, ["a", "b"], new Dictionary<string, string>(StringComparer.Ordinal) { ["k"] = "ü" },
        DateTimeOffset.Parse("2026-01-02T03:04:05.1234567Z", null), Digest.EmptyLayer, Digest.EmptyLayer, Compression: LayerCompression.Zstd, Size: 1024, Uids: [0, 65534]);

    [Fact]
    public void A_store_is_made_for_its_owner_alone_and_opened_again_as_the_same()
    {
        using var directory = new TempDirectory();
        StoreRoot.Make(directory["new"]);
        var made = StoreRoot.Open(directory["new"], null, static () => "overlay");
        foreach (var path in new[] { directory["new"], made.Layout.DriverHome, made.Layout.StagingHome, made.Layout.TrashHome, made.Layout.ImageHome })
            Assert.Equal(0x1C0u, Libc.Stat(path).Permissions);
        var again = StoreRoot.Open(directory["new"], null, static () => throw new InvalidOperationException("it has a driver"));
        Assert.Equal((1, made.Format.StoreId, "overlay"), (again.Format.Format, again.Format.StoreId, again.Format.Driver));
    }

    [Fact]
    public void A_store_of_another_driver_is_refused()
    {
        var refusal = Assert.Throws<PermanentDriverException>(() => StoreRoot.Open(Layout.Root, "vfs", static () => "vfs"));
        Assert.Equal(StorageErrorCode.InvalidArgument, refusal.Error.Code);
        Assert.Contains("driver stub", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_driver_that_does_not_work_does_not_become_the_stores()
    {
        using var directory = new TempDirectory();
        Assert.Throws<InvalidOperationException>(() => StoreRoot.Open(directory.Path, "overlay", static () => throw new InvalidOperationException("no overlay here")));
        Assert.Equal("vfs", StoreRoot.Open(directory.Path, "vfs", static () => "vfs").Format.Driver);
    }

    [Fact]
    public void What_a_driver_left_that_was_tried_in_vain_is_in_nobodys_way_and_its_layers_are()
    {
        using var directory = new TempDirectory();
        Directory.CreateDirectory(directory["overlay/l"]);
        Assert.Equal("vfs", StoreRoot.Open(directory.Path, "vfs", static () => "vfs").Format.Driver);

        File.Delete(directory["format.json"]);
        Directory.CreateDirectory(directory["overlay/a-layer"]);
        var refusal = Assert.Throws<PermanentDriverException>(() => StoreRoot.Open(directory.Path, "vfs", static () => "vfs"));
        Assert.Contains("overlay", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_directory_that_holds_something_else_is_refused_and_left_alone()
    {
        using var directory = new TempDirectory();
        Directory.CreateDirectory(directory["overlay-images"]);
        var refusal = Assert.Throws<PermanentDriverException>(() => StoreRoot.Open(directory.Path, null, static () => "overlay"));
        Assert.Contains("overlay-images", refusal.Message, StringComparison.Ordinal);
        Assert.Equal([directory["overlay-images"]], Directory.GetFileSystemEntries(directory.Path));
    }

    [Fact]
    public void A_store_whose_making_was_interrupted_is_made()
    {
        File.Delete(Layout.FormatFile);
        Assert.Equal("stub", StoreRoot.Open(Layout.Root, "stub", static () => "stub").Format.Driver);
    }

    [Theory]
    [InlineData("""{"format":2,"storeId":"x","driver":"stub","features":{"compatible":[],"readOnly":[],"incompatible":[]}}""", StorageErrorCode.UnknownFormat)]
    [InlineData("""{"format":1,"storeId":"x","driver":"stub","features":{"compatible":[],"readOnly":[],"incompatible":["quantum"]}}""", StorageErrorCode.UnknownFormat)]
    [InlineData("""{"format":1,"storeId":"x","driver":"stub","features":{"compatible":[],"readOnly":["verity"],"incompatible":[]}}""", StorageErrorCode.UnknownFormat)]
    [InlineData("""{"format":1,"storeId":"x"}""", StorageErrorCode.Damaged)]
    [InlineData("""{"format":1,"storeId":"x","driver":null,"features":{"compatible":[],"readOnly":[],"incompatible":[]}}""", StorageErrorCode.Damaged)]
    [InlineData("", StorageErrorCode.Damaged)]
    public void A_format_that_is_not_ours_is_refused(string content, StorageErrorCode code)
    {
        File.WriteAllText(Layout.FormatFile, content);
        Assert.Equal(code, Assert.Throws<StoreCorruptException>(() => StoreFormat.Read(Layout.Root)).Error.Code);
    }

    [Fact]
    public void Compatible_features_and_members_of_later_versions_do_no_harm()
    {
        File.WriteAllText(
            Layout.FormatFile, """{"format":1,"storeId":"x","driver":"stub","features":{"compatible":["hints"],"readOnly":[],"incompatible":[]},"more":{"a":1}}""");
        Assert.Equal(["hints"], StoreFormat.Read(Layout.Root)!.Features.Compatible);
    }

    [Fact]
    public void A_layer_record_comes_back_as_it_was_written()
    {
        Directory.CreateDirectory(Layout.LayerDirectory(Layer));
        LayerFile.Write(Layout.LayerDirectory(Layer), Record with { Names = ["old"] });
        LayerFile.Write(Layout.LayerDirectory(Layer), Record);
        var read = LayerFile.Read(Layout.LayerDirectory(Layer), Layer);
        Assert.Equivalent(Record, read, strict: true);
        Assert.Equal(Record.Created, read.Created);
        Assert.Equal(["layer.json"], Directory.GetFileSystemEntries(Layout.LayerDirectory(Layer)).Select(Path.GetFileName));
    }

    [Fact]
    public void A_layer_record_is_json_that_people_can_read()
    {
        Directory.CreateDirectory(Layout.LayerDirectory(Layer));
        LayerFile.Write(Layout.LayerDirectory(Layer), Record with { Labels = new Dictionary<string, string>(StringComparer.Ordinal), Uids = null });
        Assert.Equal(
            """
            {
              "format": 1,
              "layer": {
                "id": "some-layer",
                "parent": "below",
                "kind": "sealed",
                "names": [
                  "a",
                  "b"
                ],
                "labels": {},
                "created": "2026-01-02T03:04:05.1234567+00:00",
                "diffId": "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef",
                "chainId": "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef",
                "compression": "zstd",
                "size": 1024
              }
            }
            """,
            File.ReadAllText(Path.Combine(Layout.LayerDirectory(Layer), "layer.json")));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("""{"format":1,"layer":{"id":"some-layer"}}""")]
    [InlineData("""{"format":9,"layer":{"id":"some-layer","kind":"sealed","names":[],"labels":{},"created":"2026-01-01T00:00:00Z"}}""")]
    [InlineData("""{"format":1,"layer":{"id":"another","kind":"sealed","names":[],"labels":{},"created":"2026-01-01T00:00:00Z"}}""")]
    [InlineData("""{"format":1,"layer":{"id":"../escape","kind":"sealed","names":[],"labels":{},"created":"2026-01-01T00:00:00Z"}}""")]
    [InlineData("""{"format":1,"layer":{"id":"some-layer","kind":"fluid","names":[],"labels":{},"created":"2026-01-01T00:00:00Z"}}""")]
    public void A_layer_without_a_valid_record_of_its_own_is_damaged(string? content)
    {
        Directory.CreateDirectory(Layout.LayerDirectory(Layer));
        var file = Path.Combine(Layout.LayerDirectory(Layer), "layer.json");
        if (content is not null) File.WriteAllText(file, content);
        var damage = Assert.Throws<PermanentDriverException>(() => LayerFile.Read(Layout.LayerDirectory(Layer), Layer)).Error;
        Assert.Equal((StorageErrorCode.Damaged, file), (damage.Code, damage.Path));
    }

    [Theory]
    [InlineData("manifest", "manifest")]
    [InlineData("a.b.9", "a.b.9")]
    [InlineData("sha256:ab", "=c2hhMjU2OmFi")]
    [InlineData("Manifest", "=TWFuaWZlc3Q=")]
    [InlineData("..", "=Li4=")]
    [InlineData("image.json", "=aW1hZ2UuanNvbg==")]
    [InlineData("???", "=Pz8_")]
    public void A_document_has_the_file_name_that_the_peers_give_it_unless_that_is_unsafe(string key, string file) =>
        Assert.Equal(file, ImageFile.FileNameOf(key));

    [Fact]
    public void A_document_whose_key_is_too_long_for_a_name_is_named_by_its_digest()
    {
        var name = ImageFile.FileNameOf(new string('Ä', 200));
        Assert.StartsWith("=sha256-", name, StringComparison.Ordinal);
        Assert.NotEqual(name, ImageFile.FileNameOf(new string('Ä', 199) + "x"));
    }

    [Fact]
    public void An_image_is_put_whole_and_its_old_directory_goes_to_the_trash()
    {
        var first = Put(ImageOf("one", "config"), ("config", "c1"), ("one", "1"));
        Assert.Null(first.Path);
        var second = Put(ImageOf("one", "config", "two") with { Names = ["web"] }, ("config", "c2"), ("two", "2"));
        Assert.StartsWith(Layout.TrashHome, second.Path, StringComparison.Ordinal);
        Assert.Equal(["web"], ImageFile.Read(Layout, Image).Names);
        Assert.Equal(["c2", "1", "2"], new[] { "config", "one", "two" }.Select(Document));
        Assert.Equal([Layout.ImageDirectory(Image)], Directory.GetFileSystemEntries(Layout.ImageHome));
    }

    [Fact]
    public void An_image_that_cannot_be_put_leaves_nothing()
    {
        Assert.Throws<LinuxException>(() => Put(ImageOf("never-given")));
        Assert.Empty(Directory.GetFileSystemEntries(Layout.ImageHome));
    }

    [Fact]
    public void A_document_that_changed_on_disk_is_not_given_out()
    {
        Put(ImageOf("config"), ("config", "c1"));
        File.WriteAllText(Path.Combine(Layout.ImageDirectory(Image), "config"), "c2");
        Assert.Equal(StorageErrorCode.Damaged, Assert.Throws<PermanentDriverException>(() => Document("config")).Error.Code);
    }

    public void Dispose() => _store.Dispose();

    private static ImageRecord ImageOf(params string[] keys) => new(
        Image, [], [], new Dictionary<string, string>(StringComparer.Ordinal), DateTimeOffset.UnixEpoch, null,
        [.. keys.Select(static key => new BigDataItem(key, 1, Digest.Of(Encoding.UTF8.GetBytes(ContentOf(key)))))]);

    private static string ContentOf(string key) => key switch { "one" => "1", "two" => "2", _ => "c1" };

    private TrashedPath Put(ImageRecord image, params (string Key, string Content)[] documents)
    {
        var items = image.BigData.Select(item => documents.Where(document => document.Key == item.Key)
            .Select(document => item with { Digest = Digest.Of(Encoding.UTF8.GetBytes(document.Content)) }).FirstOrDefault(item)).ToList();
        return _store.Run(new PutImageFiles(
            image with { BigData = items }, [.. documents.Select(static document => new BigData(document.Key, Encoding.UTF8.GetBytes(document.Content)))], [], Durable: true));
    }

    private string Document(string key) =>
        Encoding.UTF8.GetString(_store.Run(new ReadDocument(ImageFile.Read(Layout, Image), ImageFile.Read(Layout, Image).BigData.Single(item => item.Key == key))));
}
