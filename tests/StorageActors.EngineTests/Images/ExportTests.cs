using System.Formats.Tar;
using System.Text.Json;
using StorageActors.Client;
using StorageActors.Images;
using StorageActors.Protocol;
using Xunit;

namespace StorageActors.EngineTests.Images;

/// <summary>What an export writes.</summary>
public sealed class ExportTests : IDisposable
{
    private readonly LayoutBuilder _layout = new();
    private readonly ScriptedStore _store = new();

    [Fact]
    public async Task A_layout_comes_back_with_the_same_digests()
    {
        var image = await ImportedAsync("1.0");
        var target = Path.Combine(_layout.Root, "out");

        var result = await ExportAsync(image, $"oci:{target}");

        Assert.True(result.SameDigests);
        foreach (var blob in Directory.GetFiles(Path.Combine(_layout.Path, "blobs/sha256")))
            Assert.Equal(File.ReadAllBytes(blob), File.ReadAllBytes(Path.Combine(target, "blobs/sha256", Path.GetFileName(blob))));
        Assert.Equal(["1.0"], Tags(target));
    }

    [Fact]
    public async Task A_second_image_joins_a_layout_and_the_same_tag_is_replaced()
    {
        var image = await ImportedAsync("1.0");
        var target = Path.Combine(_layout.Root, "out");
        await ExportAsync(image, $"oci:{target}:one");
        await ExportAsync(image, $"oci:{target}:two");
        await ExportAsync(image, $"oci:{target}:one");
        Assert.Equal(["one", "two"], Tags(target).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Images_that_go_into_a_layout_at_the_same_time_are_all_in_it()
    {
        var image = await ImportedAsync("1.0");
        var target = Path.Combine(_layout.Root, "out");
        var tags = Enumerable.Range(0, 12).Select(static i => $"tag-{i:00}").ToArray();
        await Task.WhenAll(tags.Select(tag => Task.Run(() => ExportAsync(image, $"oci:{target}:{tag}"))));
        Assert.Equal(tags, Tags(target).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_blob_that_was_not_kept_gives_another_manifest_and_the_result_says_so()
    {
        _layout.Tagged("1.0", _layout.Image(["a"]));
        var image = await ImportAsync(new ImportOptions { KeepBlobs = false });
        var target = Path.Combine(_layout.Root, "out");

        var result = await ExportAsync(image, $"oci:{target}");

        Assert.False(result.SameDigests);
        Assert.True(File.Exists(Path.Combine(target, "blobs/sha256", result.Manifest.Hex)));
    }

    [Fact]
    public async Task An_archive_can_be_imported_again_and_two_exports_are_equal()
    {
        var image = await ImportedAsync("1.0");
        var first = Path.Combine(_layout.Root, "one.tar");
        var second = Path.Combine(_layout.Root, "two.tar");
        await ExportAsync(image, $"oci-archive:{first}:x");
        await ExportAsync(image, $"oci-archive:{second}:x");
        Assert.Equal(File.ReadAllBytes(first), File.ReadAllBytes(second));
        await using var client = new StorageClient(_store);
        var again = await ImageImporter.ImportAsync(client, ImageLocation.Parse(first), new ImportOptions());
        Assert.Equal(image.Id, again.Image.Id);
        Assert.Equal(image.ManifestDigest, again.Image.ManifestDigest);
    }

    [Fact]
    public async Task A_docker_archive_holds_plain_layers_and_the_names()
    {
        var image = await ImportedAsync("1.0");
        var target = Path.Combine(_layout.Root, "docker.tar");
        await ExportAsync(image, $"docker-archive:{target}");
        using var file = File.OpenRead(target);
        using var reader = new TarReader(file);
        var names = new List<string>();
        while (reader.GetNextEntry() is { } entry) names.Add(entry.Name);
        Assert.Contains("manifest.json", names);
        Assert.Contains(image.Id.Value + ".json", names);
        Assert.Equal(2, names.Count(static name => name.EndsWith(".tar", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_directory_with_other_things_in_it_is_left_alone()
    {
        var image = await ImportedAsync("1.0");
        var target = Directory.CreateDirectory(Path.Combine(_layout.Root, "other")).FullName;
        File.WriteAllText(Path.Combine(target, "mine"), "x");
        var error = await Assert.ThrowsAsync<StorageException>(() => ExportAsync(image, $"oci:{target}"));
        Assert.Equal(StorageErrorCode.AlreadyExists, error.Error.Code);
        Assert.Equal(["mine"], Directory.GetFileSystemEntries(target).Select(Path.GetFileName));
    }

    public void Dispose() => _layout.Dispose();

    private static string[] Tags(string layout)
    {
        using var index = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(layout, "index.json")));
        return index.RootElement.GetProperty("manifests").EnumerateArray()
            .Select(static m => m.GetProperty("annotations").GetProperty("org.opencontainers.image.ref.name").GetString()!).ToArray();
    }

    private Task<ImageRecord> ImportedAsync(string tag)
    {
        _layout.Tagged(tag, _layout.Image(["a", "b"]));
        return ImportAsync(new ImportOptions());
    }

    private async Task<ImageRecord> ImportAsync(ImportOptions options)
    {
        await using var client = new StorageClient(_store);
        return (await ImageImporter.ImportAsync(client, ImageLocation.Parse(_layout.Path), options)).Image;
    }

    private async Task<ExportResult> ExportAsync(ImageRecord image, string destination)
    {
        await using var client = new StorageClient(_store);
        return await ImageExporter.ExportAsync(client, image, ImageLocation.Parse(destination));
    }
}
