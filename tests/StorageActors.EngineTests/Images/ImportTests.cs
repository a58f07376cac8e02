using System.Formats.Tar;
using System.Text;
using StorageActors.Client;
using StorageActors.Images;
using StorageActors.Protocol;
using Xunit;

namespace StorageActors.EngineTests.Images;

/// <summary>What is read of images outside the store, and what is refused.</summary>
public sealed class ImportTests : IDisposable
{
    private readonly LayoutBuilder _layout = new();
    private readonly ScriptedStore _store = new();

    [Fact]
    public async Task An_image_is_applied_as_one_chain_with_every_digest_expected()
    {
        _layout.Tagged("1.0", _layout.Image(["a", "b"]));

        var result = await ImportAsync($"oci:{_layout.Path}:1.0");

        var apply = Assert.Single(_store.Commands.OfType<StoreProtocol.Apply>());
        Assert.True(apply.Reuse);
        Assert.Equal([Digest.Of(LayoutBuilder.Tar("a")), Digest.Of(LayoutBuilder.Tar("b"))], apply.Items.Select(static item => item.Expect.DiffId!.Value));
        Assert.All(apply.Items, static item => Assert.NotNull(item.Expect.BlobDigest));
        Assert.Equal(["image:1.0"], result.Image.Names);
        Assert.Equal(2, _store.Put.Blobs!.Count);
        Assert.Equal(_store.Put.ManifestDigest, Digest.Of(_store.Put.Documents.Single(static document => document.Key == "manifest").Content));
    }

    [Fact]
    public async Task Given_names_replace_those_of_the_layout()
    {
        _layout.Tagged("1.0", _layout.Image(["a"]));
        var result = await ImportAsync(_layout.Path, new ImportOptions { Names = ["mine:2"] });
        Assert.Equal(["mine:2"], result.Image.Names);
    }

    [Theory]
    [InlineData("2023-05-11T20:34:53.123456789Z", "2023-05-11T20:34:53.1234567Z")]
    [InlineData("2023-05-11T20:34:53+02:00", "2023-05-11T18:34:53Z")]
    [InlineData("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z")]
    [InlineData("0001-01-01T00:00:00Z", null)]
    [InlineData("0001-01-01T00:00:00+14:00", null)]
    [InlineData("yesterday", null)]
    [InlineData("", null)]
    [InlineData(1700000000, null)]
    public async Task The_configuration_says_when_an_image_was_made_if_it_does(object created, string? expected)
    {
        _layout.Tagged("1.0", _layout.Image(["a"], created: created));
        DateTimeOffset? time = expected is null ? null : DateTimeOffset.Parse(expected, null);

        await ImportAsync(_layout.Path);
        Assert.Equal(time, _store.Put.Created);

        await ImportAsync(_layout.Path, new ImportOptions { Created = DateTimeOffset.UnixEpoch, Labels = new Dictionary<string, string>(StringComparer.Ordinal) { ["k"] = "v" } });
        Assert.Equal(DateTimeOffset.UnixEpoch, _store.Put.Created);
        Assert.Equal("v", _store.Put.Labels!["k"]);
    }

    [Fact]
    public async Task Several_images_without_a_tag_are_listed()
    {
        _layout.Tagged("old", _layout.Image(["a"])).Tagged("new", _layout.Image(["b"]));
        var error = await RefusedAsync(_layout.Path);
        Assert.Equal(StorageErrorCode.InvalidArgument, error.Code);
        Assert.Contains("new, old", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unknown_tag_is_not_found_and_the_tags_are_listed()
    {
        _layout.Tagged("old", _layout.Image(["a"]));
        var error = await RefusedAsync($"oci:{_layout.Path}:nope");
        Assert.Equal(StorageErrorCode.NotFound, error.Code);
        Assert.Contains("old", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_platform_chooses_from_an_index_through_another_index()
    {
        var inner = _layout.Index(_layout.Image(["arm"], "arm64", withPlatform: true), _layout.Image(["s390"], "s390x", withPlatform: true));
        _layout.Tagged("multi", inner);

        await ImportAsync(_layout.Path, new ImportOptions { Platform = Platform.Parse("linux/s390x") });
        Assert.Equal(Digest.Of(LayoutBuilder.Tar("s390")), Assert.Single(_store.Applied).Expect.DiffId);

        var error = await RefusedAsync(_layout.Path, new ImportOptions { Platform = Platform.Parse("linux/riscv64") });
        Assert.Contains("linux/arm64, linux/s390x", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_document_with_another_digest_than_its_name_is_refused()
    {
        var image = (Dictionary<string, object>)_layout.Image(["a"]);
        var manifest = Path.Combine(_layout.Path, "blobs/sha256", ((string)image["digest"])["sha256:".Length..]);
        File.WriteAllBytes(manifest, File.ReadAllBytes(manifest).Reverse().ToArray());
        _layout.Tagged("x", image);
        Assert.Equal(StorageErrorCode.DigestMismatch, (await RefusedAsync(_layout.Path)).Code);
    }

    [Fact]
    public async Task A_missing_layer_is_named()
    {
        var blob = Digest.Of(LayoutBuilder.Gzip(LayoutBuilder.Tar("a")));
        _layout.Tagged("x", _layout.Image(["a"]));
        File.Delete(Path.Combine(_layout.Path, "blobs/sha256", blob.Hex));
        var error = await RefusedAsync(_layout.Path);
        Assert.Equal(StorageErrorCode.BadInput, error.Code);
        Assert.Contains(blob.Value, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_artifact_is_no_image()
    {
        _layout.Tagged("x", _layout.Image(["a"], configType: "application/vnd.example.thing+json"));
        var error = await RefusedAsync(_layout.Path);
        Assert.Equal(StorageErrorCode.Unsupported, error.Code);
        Assert.Contains("artifact", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("""{"manifests":[{"mediaType":"x","digest":"sha256:zz","size":1}]}""")]
    [InlineData("""{"manifests":[{"mediaType":"x","digest":"../../etc/passwd","size":1}]}""")]
    [InlineData("""{"manifests":{}}""")]
    public async Task A_malformed_index_is_bad_input(string index)
    {
        File.WriteAllText(Path.Combine(_layout.Path, "index.json"), index);
        Assert.Equal(StorageErrorCode.BadInput, (await RefusedAsync(_layout.Path)).Code);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_archive_is_read_in_place_or_expanded_when_it_is_compressed(bool compressed)
    {
        _layout.Tagged("1.0", _layout.Image(["a", "b"]));
        var archive = _layout.Archive(compressed);

        var result = await ImportAsync(archive);

        Assert.Equal(2, result.Layers.Count);
        Assert.Equal(["image:1.0"], result.Image.Names);
        Assert.All(_store.Applied, item => Assert.Equal(!compressed, item.Source.Path == archive));
    }

    [Fact]
    public async Task A_compressed_archive_that_ends_too_early_is_bad_input()
    {
        _layout.Tagged("1.0", _layout.Image(["a"]));
        var archive = _layout.Archive(compressed: true);
        File.WriteAllBytes(archive, File.ReadAllBytes(archive)[..^9]);
        Assert.Equal(StorageErrorCode.BadInput, (await RefusedAsync(archive)).Code);
        Assert.Equal(StorageErrorCode.BadInput, (await RefusedAsync($"oci-archive:{archive}")).Code);
    }

    [Fact]
    public async Task A_compressed_archive_unfolds_no_further_than_a_layer_may()
    {
        _layout.Tagged("1.0", _layout.Image(["a"]));
        var archive = _layout.Archive(compressed: true);
        _store.Limits = new StoreLimits(Ratio: 1, RatioFrom: 1024);
        var error = await RefusedAsync(archive);
        Assert.Equal(StorageErrorCode.BadInput, error.Code);
        Assert.Contains("limits.ratio", error.Message, StringComparison.Ordinal);
        Assert.Empty(_store.Applied);

        _store.Limits = new StoreLimits(Ratio: 1);
        Assert.Single((await ImportAsync(archive)).Layers);
    }

    [Fact]
    public async Task Looking_into_a_compressed_archive_and_expanding_it_can_be_cancelled()
    {
        _layout.Tagged("1.0", _layout.Image(["a"]));
        var archive = _layout.Archive(compressed: true);
        var location = ImageLocation.Parse(archive);
        await using var client = new StorageClient(_store);
        Assert.Throws<OperationCanceledException>(() => ImageLocation.Parse(archive, new CancellationToken(canceled: true)));
        await Assert.ThrowsAsync<OperationCanceledException>(
            () => ImageImporter.ImportAsync(client, location, new ImportOptions(), progress: null, new CancellationToken(canceled: true)));
        Assert.Empty(_store.Applied);
    }

    [Fact]
    public async Task A_docker_archive_shares_a_layer_by_a_link()
    {
        var path = DockerArchive(config: null, "base/layer.tar", "top/layer.tar");
        var result = await ImportAsync(path);
        Assert.Equal(["app:1", "app:latest"], result.Image.Names);
        Assert.Equal(2, result.Layers.Count);
        Assert.Empty(_store.Put.Blobs!);
        Assert.NotNull(_store.Put.ManifestDigest);
    }

    [Theory]
    [InlineData("../../../../etc/passwd")]
    [InlineData("/etc/passwd")]
    [InlineData("")]
    public async Task A_docker_archive_cannot_name_files_outside_of_itself(string config)
    {
        var error = await RefusedAsync(DockerArchive(config, "base/layer.tar"));
        Assert.Equal(StorageErrorCode.BadInput, error.Code);
    }

    [Fact]
    public async Task A_layer_that_was_collected_meanwhile_is_applied_again()
    {
        _layout.Tagged("1.0", _layout.Image(["a"]));
        _store.RefusePuts = 1;
        await ImportAsync(_layout.Path);
        Assert.Equal(2, _store.Commands.OfType<StoreProtocol.Apply>().Count());
    }

    [Theory]
    [InlineData("oci:")]
    [InlineData("oci:/x:")]
    [InlineData("docker-archive:")]
    public void A_location_without_path_or_tag_is_refused(string text) => Assert.Throws<StorageException>(() => ImageLocation.Parse(text));

    [Fact]
    public void An_archive_or_a_directory_without_an_image_is_bad_input()
    {
        var archive = Path.Combine(_layout.Root, "layer.tar");
        File.WriteAllBytes(archive, LayoutBuilder.Tar("a"));
        Assert.Equal(StorageErrorCode.BadInput, Assert.Throws<StorageException>(() => ImageLocation.Parse(archive)).Error.Code);
        Assert.Equal(StorageErrorCode.BadInput, Assert.Throws<StorageException>(() => ImageLocation.Parse(_layout.Root)).Error.Code);
    }

    [Fact]
    public void A_file_that_is_no_archive_is_bad_input()
    {
        var path = Path.Combine(_layout.Root, "noise");
        File.WriteAllBytes(path, Enumerable.Range(0, 5000).Select(static i => (byte)((i * 31) + 7)).ToArray());
        Assert.Equal(StorageErrorCode.BadInput, Assert.Throws<StorageException>(() => ImageLocation.Parse(path)).Error.Code);
    }

    [Fact]
    public void A_plain_destination_says_what_it_is_to_be_where_there_is_one()
    {
        var (path, layout) = (Path.Combine(_layout.Root, "new.tar"), Path.Combine(_layout.Root, "layout"));
        var error = Assert.Throws<StorageException>(() => ImageLocation.ParseDestination(path)).Error;
        Assert.Equal(StorageErrorCode.InvalidArgument, error.Code);
        Assert.Contains($"oci-archive:{path}", error.Message, StringComparison.Ordinal);
        Assert.Throws<StorageException>(() => ImageLocation.ParseDestination("oci:"));
        Assert.Equal(new ImageLocation(ImageFormat.DockerArchive, path, "a:1"), ImageLocation.ParseDestination($"docker-archive:{path}:a:1"));

        Directory.CreateDirectory(layout);
        File.WriteAllText(Path.Combine(layout, "oci-layout"), """{"imageLayoutVersion":"1.0.0"}""");
        Assert.Equal(new ImageLocation(ImageFormat.OciLayout, layout, null), ImageLocation.ParseDestination(layout));
    }

    public void Dispose() => _layout.Dispose();

    private async Task<ImportResult> ImportAsync(string location, ImportOptions? options = null)
    {
        await using var client = new StorageClient(_store);
        return await ImageImporter.ImportAsync(client, ImageLocation.Parse(location), options ?? new ImportOptions());
    }

    private async Task<StorageError> RefusedAsync(string location, ImportOptions? options = null) =>
        (await Assert.ThrowsAsync<StorageException>(() => ImportAsync(location, options))).Error;

    private string DockerArchive(string? config, params string[] layers)
    {
        var tar = LayoutBuilder.Tar("same");
        var id = Digest.Of(tar).Value;
        var configBytes = Encoding.UTF8.GetBytes(
            $$"""{"os":"linux","architecture":"amd64","rootfs":{"diff_ids":[{{string.Join(',', layers.Select(_ => $"\"{id}\""))}}] } }""");
        var configName = config ?? Digest.Of(configBytes).Hex + ".json";
        var manifest = $$"""[{"Config":"{{configName}}","RepoTags":["app:1","app:latest"],"Layers":[{{string.Join(',', layers.Select(static l => $"\"{l}\""))}}]}]""";
        var path = Path.Combine(_layout.Root, "docker.tar");
        using var file = File.Create(path);
        using var writer = new TarWriter(file);
        writer.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, "manifest.json") { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(manifest)) });
        writer.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, Digest.Of(configBytes).Hex + ".json") { DataStream = new MemoryStream(configBytes) });
        writer.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, layers[0]) { DataStream = new MemoryStream(tar) });
        foreach (var other in layers.Skip(1))
            writer.WriteEntry(new PaxTarEntry(TarEntryType.SymbolicLink, other) { LinkName = "../" + layers[0] });
        return path;
    }
}
