using System.Globalization;
using StorageActors.EndToEndTests.Cli;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.EndToEndTests.Images;

/// <summary>An import dies by SIGKILL, wherever it is: the next start needs no repair, and the same import completes.</summary>
public sealed class KilledImportTests
{
    private static readonly string[] Places = ["staging-created", "extracted", "finished", "before-sync", "after-sync", "before-rename", "after-rename", "before-journal", "after-journal", "image-staged", "image-renamed"];

    public static TheoryData<string> CrashPoints => [.. Places];

    [SkippableTheory]
    [MemberData(nameof(CrashPoints))]
    public async Task Death_at_a_named_place_leaves_whole_layers_only(string place)
    {
        RequiredTiers.SkipUnlessRoot();
        await using var store = new CliStore();
        var image = OciLayout.Write(store["image"], Enumerable.Range(0, 4).SelectMany(Layer).ToArray());

        var environment = new Dictionary<string, string>(store.Environment, StringComparer.Ordinal) { ["STORAGE_ACTORS_CRASH_AT"] = place };
        var killed = await CliProcess.RunAsync(environment, null, "import", image.Path);

        Assert.Equal(128 + 9, killed.ExitCode);
        await SettlesAsync(store, image);
    }

    [SkippableFact]
    public async Task Death_at_any_moment_leaves_whole_layers_only()
    {
        RequiredTiers.SkipUnlessRoot();
        await using var store = new CliStore();
        var image = OciLayout.Write(store["image"], Enumerable.Range(0, 6).SelectMany(Layer).ToArray());
        for (var round = 0; round < 8; round++)
        {
            using (var import = store.Start("import", image.Path))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(250 + (round * 120)));
                Command.TryRun("kill", "-KILL", $"{import.Id}"); // It may have ended already.
                await import.EndAsync();
            }

            (await store.RunAsync("check", "--full")).Exits(0);
        }

        // On a slow machine each of them may have died before it had made the store.
        (await store.RunAsync("create", "--id", "made")).Exits(0);
        (await store.RunAsync("rm", "made")).Exits(0);
        await SettlesAsync(store, image);
    }

    private static async Task SettlesAsync(CliStore store, OciLayout image)
    {
        var layers = (await store.RunAsync("layers", "--json")).Exits(0).Json;
        foreach (var layer in layers.EnumerateArray())
        {
            var tar = store["one.tar"];
            (await store.RunAsync("diff", layer.GetProperty("id").GetString()!, "-o", tar)).Exits(0);
            Assert.Equal(layer.GetProperty("diffId").GetString(), Tars.Digest(await File.ReadAllBytesAsync(tar)));
        }

        // The first engine settles what the death left. What was swept to the trash is deleted while nobody waits; nothing is left in the making.
        (await store.RunAsync("check", "--full")).Exits(0);
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(store.Root, "staging")));
        var again = (await store.RunAsync("import", image.Path, "--json")).Exits(0).Json;
        Assert.Equal(image.ImageId, again.GetProperty("id").GetString());
        var exported = store["exported"];
        Assert.Equal(image.Manifest, (await store.RunAsync("export", image.ImageId, $"oci:{exported}")).Exits(0).Line);
    }

    private static IEnumerable<byte[]> Layer(int i)
    {
        var tar = Tars.Of(Enumerable.Range(0, 400).Select(file => (
            string.Create(CultureInfo.InvariantCulture, $"layer-{i}/file-{file}"), new string((char)('a' + i), 3000 + file))));
        return [Tars.Gzip(tar), tar];
    }
}
