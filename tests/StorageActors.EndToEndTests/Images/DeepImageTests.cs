using System.Globalization;
using StorageActors.EndToEndTests.Cli;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.EndToEndTests.Images;

/// <summary>Images of many layers, up to as many as the kernel stacks.</summary>
public sealed class DeepImageTests
{
    [SkippableTheory]
    [InlineData(128)]
    [InlineData(500)]
    public async Task Every_layer_of_a_deep_image_is_seen_through_one_mount(int depth)
    {
        RequiredTiers.SkipUnlessRoot();
        await using var store = new CliStore();
        var image = OciLayout.Write(store["image"], Layers(depth));
        var imported = (await store.RunAsync("import", image.Path, "--json")).Exits(0).Json;
        var top = imported.GetProperty("layers")[depth - 1].GetProperty("id").GetString()!;

        var path = (await store.RunAsync("mount", top)).Exits(0).Line;

        Assert.Equal(depth, Directory.GetFiles(Path.Combine(path, "layers")).Length);
        Assert.Equal(Number(depth - 1), File.ReadAllText(Path.Combine(path, "last")));
        (await store.RunAsync("umount", path, "--all")).Exits(0);
        var exported = store["exported"];
        Assert.Equal(image.Manifest, (await store.RunAsync("export", imported.GetProperty("id").GetString()!, $"oci:{exported}")).Exits(0).Line);
    }

    private static byte[][] Layers(int depth) => Enumerable.Range(0, depth)
        .Select(static i => Tars.Of(("layers/", ""), ("layers/" + Number(i), Number(i)), ("last", Number(i))))
        .SelectMany(static tar => new[] { Tars.Gzip(tar), tar })
        .ToArray();

    private static string Number(int i) => i.ToString("d3", CultureInfo.InvariantCulture);
}
