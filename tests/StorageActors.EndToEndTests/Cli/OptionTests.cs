using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.EndToEndTests.Cli;

/// <summary>Options and ways to name things that the tests of the verbs do not come to.</summary>
public sealed class OptionTests : IAsyncLifetime
{
    private static readonly byte[] Base = Tars.Of(("etc/", ""), ("etc/motd", "hello\n"));
    private static readonly byte[] Top = Tars.Of(("new", "y"));

    private readonly CliStore _store = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _store.DisposeAsync();

    [Fact]
    public async Task A_question_about_a_store_that_is_not_there_makes_none()
    {
        Directory.CreateDirectory(_store["empty"]);
        foreach (var root in new[] { _store.Root, _store["empty"] })
        {
            foreach (var list in new[] { "layers", "images", "ps" })
            {
                Assert.Equal("[]", (await _store.RunAsync(list, "--json", "--root", root)).Exits(0).Line);
                Assert.Empty((await _store.RunAsync(list, "--quiet", "--root", root)).Exits(0).Text);
            }

            Assert.Contains($"there is no store at {root}", (await _store.RunAsync("inspect", "any", "--root", root)).Exits(3).Error, StringComparison.Ordinal);
        }

        Assert.False(Directory.Exists(_store.Root));
        Assert.Empty(Directory.GetFileSystemEntries(_store["empty"]));
    }

    [SkippableFact]
    public async Task Digests_name_layers_and_images()
    {
        RequiredTiers.SkipUnlessRoot();
        var blob = Tars.Gzip(Top);
        var layout = OciLayout.Write(_store["image"], Tars.Gzip(Base), Base, blob, Top);
        (await _store.RunAsync("import", layout.Path, "--name", "app")).Exits(0);
        var top = (await _store.RunAsync("images", "--json")).Exits(0).Json[0].GetProperty("layers")[1].GetString();
        var record = (await _store.RunAsync("inspect", top!)).Exits(0);
        foreach (var digest in new[] { record.Json.GetProperty("chainId").GetString()!, Tars.Digest(Top), Tars.Digest(blob) })
            Assert.Equal(record.Text, (await _store.RunAsync("inspect", digest)).Exits(0).Text);
        Assert.Equal(layout.ImageId, (await _store.RunAsync("inspect", $"sha256:{layout.ImageId}")).Exits(0).Json.GetProperty("id").GetString());
        (await _store.RunAsync("inspect", Tars.Digest([]))).Exits(3);

        // A second copy of the same chain is no question; the same tar on another parent is.
        (await _store.FeedAsync(Top, "apply", "--id", "copy", "--parent", Tars.Digest(Base))).Exits(0);
        Assert.Equal(record.Text, (await _store.RunAsync("inspect", Tars.Digest(Top))).Exits(0).Text);
        (await _store.FeedAsync(Top, "apply", "--id", "another", "--parent", "copy")).Exits(0);
        Assert.Contains("more than one layer", (await _store.RunAsync("inspect", Tars.Digest(Top))).Exits(2).Error, StringComparison.Ordinal);
        Assert.Equal(Base, (await _store.RunAsync("diff", Tars.Digest(Base))).Exits(0).Bytes);
    }

    [SkippableFact]
    public async Task An_image_is_mounted_read_only_by_its_top_layer()
    {
        RequiredTiers.SkipUnlessRoot();
        var layout = OciLayout.Write(_store["image"], Tars.Gzip(Base), Base, Tars.Gzip(Top), Top);
        (await _store.RunAsync("import", layout.Path, "--name", "app")).Exits(0);
        var mount = (await _store.RunAsync("mount", "app", "--lease", "mine", "--json")).Exits(0).Json;
        Assert.Equal("readOnly", mount.GetProperty("mode").GetString());
        var path = mount.GetProperty("path").GetString()!;
        Assert.Equal(("hello\n", "y"), (await File.ReadAllTextAsync($"{path}/etc/motd"), await File.ReadAllTextAsync($"{path}/new")));
        Assert.ThrowsAny<SystemException>(() => File.WriteAllText($"{path}/more", "z"));
        Assert.Equal("0", (await _store.RunAsync("umount", "app", "--lease", "mine")).Exits(0).Line);
        Assert.Contains("is not mounted", (await _store.RunAsync("umount", "app")).Exits(1).Error, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task What_is_known_is_applied_once_if_that_is_asked_for()
    {
        RequiredTiers.SkipUnlessRoot();
        await File.WriteAllBytesAsync(_store["base.tar"], Base);
        (await _store.FeedAsync(Base, "apply", "--id", "base")).Exits(0);
        foreach (var again in new[]
                 {
                     await _store.FeedAsync(Base, "apply", "--reuse", "--json", "--name", "piped"),
                     await _store.RunAsync("apply", _store["base.tar"], "--reuse", "--json", "--name", "file", "--diff-id", Tars.Digest(Base)),
                 })
        {
            Assert.Equal(("base", true), (again.Exits(0).Json.GetProperty("id").GetString(), again.Json.GetProperty("reused").GetBoolean()));
        }

        Assert.Equal(["file", "piped"], (await _store.RunAsync("name", "base")).Exits(0).Lines);
        Assert.False((await _store.FeedAsync(Top, "apply", "--reuse", "--json", "--parent", "base")).Exits(0).Json.GetProperty("reused").GetBoolean());
        Assert.NotEqual("base", (await _store.FeedAsync(Base, "apply")).Exits(0).Line); // Not asked for.
        (await _store.RunAsync("gc", "--quiet")).Exits(0); // Which waits for what is deleted.
        Assert.Empty(_store.Leftovers());
    }

    [SkippableFact]
    public async Task Names_are_stolen_mounts_take_options_and_comparisons_another_layer_than_the_parent()
    {
        RequiredTiers.SkipUnlessRoot();
        (await _store.FeedAsync(Base, "apply", "--id", "base", "--name", "latest")).Exits(0);
        (await _store.FeedAsync(Top, "apply", "--id", "top", "--parent", "base")).Exits(0);
        (await _store.RunAsync("name", "top", "--add", "latest")).Exits(4);
        Assert.Equal("latest", (await _store.RunAsync("name", "top", "--add", "latest", "--steal")).Exits(0).Line);
        Assert.Empty((await _store.RunAsync("name", "base")).Exits(0).Text);

        (await _store.RunAsync("create", "--parent", "top", "--id", "box")).Exits(0);
        (await _store.RunAsync("mount", "box", "--option", "nonsense")).Exits(2);
        var path = (await _store.RunAsync("mount", "box", "--option", "nodev", "--option", "noexec")).Exits(0).Line;
        var options = File.ReadLines("/proc/self/mountinfo").Select(static line => line.Split(' ')).Single(fields => fields[4] == path)[5].Split(',');
        Assert.Empty(new[] { "nodev", "noexec" }.Except(options));
        await File.WriteAllTextAsync($"{path}/written", "1");
        (await _store.RunAsync("umount", "box")).Exits(0);
        path = (await _store.RunAsync("mount", "box", "--read-only")).Exits(0).Line;
        Assert.ThrowsAny<SystemException>(() => File.WriteAllText($"{path}/more", "z"));
        (await _store.RunAsync("umount", "box")).Exits(0);

        Assert.Equal(["A /written"], (await _store.RunAsync("changes", "box")).Exits(0).Lines);
        Assert.Equal(["A /new", "A /written"], (await _store.RunAsync("changes", "box", "--from", "base")).Exits(0).Lines);
        await File.WriteAllBytesAsync(_store["diff.tar"], (await _store.RunAsync("diff", "box", "--from", "base")).Exits(0).Bytes);
        Assert.Equal(["new", "written"], Command.Run("tar", "-tf", _store["diff.tar"]).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static name => name.TrimStart('.', '/')).Where(static name => name.Length > 0).Order(StringComparer.Ordinal));
    }

    [SkippableFact]
    public async Task A_failure_is_told_with_its_stack_at_the_level_debug_alone()
    {
        RequiredTiers.SkipUnlessRoot();
        (await _store.FeedAsync(Base, "apply", "--id", "base")).Exits(0);
        Assert.Single((await _store.RunAsync("inspect", "other")).Exits(3).Error.TrimEnd('\n').Split('\n'));
        Assert.Contains("\n   at StorageActors.", (await _store.RunAsync("inspect", "other", "--log-level", "debug")).Exits(3).Error, StringComparison.Ordinal);
    }
}
