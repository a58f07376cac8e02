using System.Text.Json;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.EndToEndTests.Cli;

/// <summary>Each verb hosts the engine in its own process.</summary>
public sealed class VerbsInProcessTests : VerbTests
{
    protected override Task BeginAsync() => Task.CompletedTask;

    [SkippableFact]
    public async Task What_is_removed_is_deleted_when_the_command_ends_since_nobody_would_do_it_after()
    {
        RequiredTiers.SkipUnlessRoot();
        var tar = Tars.Of([.. Enumerable.Range(0, 3000).Select(static number => ($"file-{number}", "x"))]);
        (await Store.FeedAsync(tar, "apply", "--id", "large")).Exits(0);
        Assert.Equal("large", (await Store.RunAsync("rm", "large")).Exits(0).Line);
        Assert.Empty(Store.Leftovers());
    }
}

/// <summary>Each verb talks to a node.</summary>
public sealed class VerbsOnNodeTests : VerbTests
{
    protected override async Task BeginAsync() =>
        Assert.Matches("^storage-actors: ready on .*/node.sock \\(driver [a-z]+, root /.*\\)$", await Store.StartNodeAsync());
}

/// <summary>Each verb talks to a node whose layers are copies.</summary>
public sealed class VerbsOnCopiesTests : VerbTests
{
    protected override async Task BeginAsync() =>
        Assert.Contains("(driver vfs, ", await Store.StartNodeAsync("--driver", "vfs"), StringComparison.Ordinal);
}

/// <summary>What every verb does and prints, whoever hosts the engine.</summary>
public abstract class VerbTests : IAsyncLifetime
{
    private static readonly byte[] Base = Tars.Of(("etc/", ""), ("etc/motd", "hello\n"), ("bin", "x"));
    private static readonly byte[] Top = Tars.Of(("etc/", ""), ("etc/.wh.motd", ""), ("new", "y"));

    private protected CliStore Store { get; } = new();

    public async Task InitializeAsync() => await BeginAsync();

    public async Task DisposeAsync() => await Store.DisposeAsync();

    [SkippableFact]
    public async Task A_tar_is_applied_listed_inspected_and_comes_back_byte_for_byte()
    {
        RequiredTiers.SkipUnlessRoot();
        var file = Store["base.tar.gz"];
        await File.WriteAllBytesAsync(file, Tars.Gzip(Base));
        Assert.Equal("base", (await Store.RunAsync("apply", file, "--id", "base", "--name", "first", "--diff-id", Tars.Digest(Base))).Exits(0).Line);
        Assert.Equal("top", (await Store.FeedAsync(Top, "apply", "-", "--id", "top", "--parent", "first")).Exits(0).Line);

        Assert.Equal(["base", "top"], (await Store.RunAsync("layers", "--quiet")).Exits(0).Lines);
        Assert.Matches("^base .*first\n└ top ", (await Store.RunAsync("layers", "--tree")).Exits(0).Text.Replace("  ", " ", StringComparison.Ordinal));
        Assert.Contains("first", (await Store.RunAsync("layers")).Exits(0).Lines[1], StringComparison.Ordinal);

        var record = (await Store.RunAsync("inspect", "first")).Exits(0).Json;
        Assert.Equal(Tars.Digest(Base), record.GetProperty("diffId").GetString());
        Assert.Equal("gzip", record.GetProperty("compression").GetString());

        Assert.Equal(Base, (await Store.RunAsync("diff", "base")).Exits(0).Bytes);
        Assert.Equal(Top, (await Store.RunAsync("diff", "top", "-o", "-")).Exits(0).Bytes);
        await Store.RunAsync("diff", "base", "-o", Store["again.tar"]);
        Assert.Equal(Base, await File.ReadAllBytesAsync(Store["again.tar"]));
        Assert.Equal([0x1f, 0x8b], (await Store.RunAsync("diff", "base", "--gzip")).Exits(0).Bytes[..2]);
        Assert.Equal(["C /etc", "D /etc/motd", "A /new"], (await Store.RunAsync("changes", "top")).Exits(0).Lines);
    }

    [SkippableFact]
    public async Task A_writable_layer_is_created_mounted_written_committed_and_removed()
    {
        RequiredTiers.SkipUnlessRoot();
        (await Store.FeedAsync(Base, "apply", "--id", "base")).Exits(0);
        Assert.Equal("box", (await Store.RunAsync("create", "--parent", "base", "--id", "box", "--name", "container", "--label", "k=v")).Exits(0).Line);
        var path = (await Store.RunAsync("mount", "container", "--lease", "mine")).Exits(0).Line;
        Assert.Equal("hello\n", await File.ReadAllTextAsync(Path.Combine(path, "etc/motd")));
        await File.WriteAllTextAsync(Path.Combine(path, "added"), "z");

        Assert.Contains("mine", (await Store.RunAsync("ps")).Exits(0).Text, StringComparison.Ordinal);
        (await Store.RunAsync("ps", "--why", "box")).Exits(0);
        (await Store.RunAsync("commit", "box")).Exits(4);
        (await Store.RunAsync("rm", "box")).Exits(4);
        Assert.Equal("0", (await Store.RunAsync("umount", path, "--lease", "mine")).Exits(0).Line);
        Assert.Equal(["A /added"], (await Store.RunAsync("changes", "box")).Exits(0).Lines);
        Assert.Equal("box", (await Store.RunAsync("commit", "box", "--name", "done")).Exits(0).Line);

        Assert.Equal(["container", "done"], (await Store.RunAsync("name", "box")).Exits(0).Lines);
        Assert.Equal(["container", "other"], (await Store.RunAsync("name", "box", "--add", "other", "--remove", "done")).Exits(0).Lines);
        Assert.Equal(["box", "base"], (await Store.RunAsync("rm", "base", "box")).Exits(0).Lines);
        (await Store.RunAsync("check", "--full")).Exits(0);
        Assert.Equal("", (await Store.RunAsync("gc")).Exits(0).Text);   // and what was removed is deleted when it answers
        Assert.Empty(Store.Leftovers());
    }

    [SkippableFact]
    public async Task An_image_is_imported_and_exported_with_the_same_digests()
    {
        RequiredTiers.SkipUnlessRoot();
        var layout = OciLayout.Write(Store["image"], Tars.Gzip(Base), Base, Tars.Gzip(Top), Top);
        var id = (await Store.RunAsync("import", $"oci:{layout.Path}:v1", "--name", "app:1")).Exits(0).Line;
        Assert.Equal(layout.ImageId, id);
        Assert.Equal([id], (await Store.RunAsync("images", "-q")).Exits(0).Lines);
        Assert.Contains("app:1", (await Store.RunAsync("images")).Exits(0).Text, StringComparison.Ordinal);
        Assert.Equal(layout.Manifest, (await Store.RunAsync("export", "app:1", $"oci:{Store["out"]}:v1")).Exits(0).Line);
        (await Store.RunAsync("export", id[..8], $"oci-archive:{Store["out.tar"]}")).Exits(0);
        (await Store.RunAsync("export", id, $"docker-archive:{Store["docker.tar"]}")).Exits(0);
        Assert.Equal(id, (await Store.RunAsync("import", Store["docker.tar"])).Exits(0).Line);
        (await Store.RunAsync("create", "--image", "app:1", "--id", "box")).Exits(0);
        Assert.Equal([id], (await Store.RunAsync("rm", "app:1")).Exits(0).Lines);   // its layers stay as long as the box stands on them
        Assert.Equal(3, (await Store.RunAsync("layers", "-q")).Exits(0).Lines.Length);
        (await Store.RunAsync("rm", "box")).Exits(0);
        Assert.Equal(2, (await Store.RunAsync("gc", "--dry-run")).Exits(0).Lines.Length);
        Assert.Equal(id, (await Store.RunAsync("import", layout.Path)).Exits(0).Line);
        Assert.Equal(3, (await Store.RunAsync("rm", id)).Exits(0).Lines.Length);
        Assert.Empty((await Store.RunAsync("layers", "-q")).Exits(0).Lines);
    }

    [SkippableFact]
    public async Task Json_has_the_keys_that_scripts_rely_on()
    {
        RequiredTiers.SkipUnlessRoot();
        var applied = (await Store.FeedAsync(Base, "apply", "--json", "--id", "base", "--name", "b")).Exits(0).Json;
        AssertKeys(applied, "id diffId chainId blobDigest size entries seconds");
        Assert.Equal(Base.Length, applied.GetProperty("size").GetInt64());
        Assert.Equal(Tars.Digest(Base), applied.GetProperty("blobDigest").GetString());
        AssertKeys((await Store.FeedAsync(Top, "apply", "--json", "--id", "top", "--parent", "b")).Exits(0).Json, "id parent diffId chainId blobDigest size entries seconds");

        AssertKeys((await Store.RunAsync("create", "--json", "--parent", "top", "--id", "box")).Exits(0).Json, "id parent kind names labels created");
        var mounted = (await Store.RunAsync("mount", "box", "--json", "--lease", "me")).Exits(0).Json;
        AssertKeys(mounted, "path lease leases mode");
        Assert.Equal("readWrite", mounted.GetProperty("mode").GetString());
        var mount = (await Store.RunAsync("ps", "--json")).Exits(0).Json[0];
        AssertKeys(mount, "layer path mode leases");
        AssertKeys(mount.GetProperty("leases")[0], "lease owner since");
        Assert.EndsWith("Z", mount.GetProperty("leases")[0].GetProperty("since").GetString(), StringComparison.Ordinal);
        AssertKeys((await Store.RunAsync("umount", "box", "--json")).Exits(0).Json, "layer leases");
        AssertKeys((await Store.RunAsync("commit", "box", "--json")).Exits(0).Json, "id parent diffId chainId size entries seconds");

        AssertKeys((await Store.RunAsync("changes", "top", "--json")).Exits(0).Json[0], "kind path");
        AssertKeys((await Store.RunAsync("layers", "--json")).Exits(0).Json[0], "id kind names labels created diffId chainId blobDigest blobSize compression size entries uids gids");
        AssertKeys((await Store.RunAsync("name", "base", "--json")).Exits(0).Json, "id names");
        var usage = (await Store.RunAsync("df", "--json")).Exits(0).Json;
        AssertKeys(usage, "layers total shared exclusive reclaimable trashBytes freeBytes freeInodes images imageBytes blobs blobBytes");
        AssertKeys(usage.GetProperty("layers")[0], "layer bytes inodes shared reclaimable contentBytes diffSize documentBytes");
        AssertKeys(usage.GetProperty("total"), "layers bytes inodes");
        Assert.Equal(JsonValueKind.Array, (await Store.RunAsync("check", "--json")).Exits(0).Json.ValueKind);
        AssertKeys((await Store.RunAsync("gc", "--dry-run", "--json")).Exits(0).Json, "layers bytes dryRun");
        AssertKeys((await Store.RunAsync("info", "--json")).Exits(0).Json, "version engine root storeId driver facts");
        AssertKeys((await Store.RunAsync("rm", "box", "--json")).Exits(0).Json, "removed");

        var layout = OciLayout.Write(Store["image"], Tars.Gzip(Base), Base);
        var imported = (await Store.RunAsync("import", layout.Path, "--json", "--name", "i")).Exits(0).Json;
        AssertKeys(imported, "id names layers seconds bytes");
        AssertKeys(imported.GetProperty("layers")[0], "id diffId chainId blobDigest size reused");
        Assert.True(imported.GetProperty("layers")[0].GetProperty("reused").GetBoolean());
        AssertKeys((await Store.RunAsync("images", "--json")).Exits(0).Json[0], "id names layers labels created manifestDigest bigData blobs namesHistory added");
        AssertKeys((await Store.RunAsync("export", "i", $"oci:{Store["o"]}", "--json")).Exits(0).Json, "digest destination sameDigests seconds");
    }

    [SkippableFact]
    public async Task Each_kind_of_refusal_has_its_exit_code_and_says_why_on_one_line()
    {
        RequiredTiers.SkipUnlessRoot();
        (await Store.FeedAsync(Base, "apply", "--id", "base", "--name", "b")).Exits(0);
        (await Store.FeedAsync(Top, "apply", "--id", "top", "--parent", "b")).Exits(0);

        await RefusedAsync(3, null, "inspect", "nosuch");
        await RefusedAsync(3, null, "rm", "nosuch");
        await RefusedAsync(3, null, "export", "nosuch", $"oci:{Store["o"]}");
        await RefusedAsync(3, Top, "apply", "--parent", "nosuch");
        await RefusedAsync(3, null, "mount", "nosuch");
        await RefusedAsync(3, null, "name", "base", "--remove", "never-given");
        await RefusedAsync(4, Top, "apply", "--id", "base");
        await RefusedAsync(4, Top, "apply", "--name", "b");
        await RefusedAsync(4, null, "rm", "base");
        await RefusedAsync(5, "this is no tar"u8.ToArray(), "apply");
        await RefusedAsync(5, Tars.Gzip(Base)[..^9], "apply");
        await RefusedAsync(5, Base, "apply", "--diff-id", Tars.Digest(Top));
        await RefusedAsync(5, Base, "apply", "--limit-size", "1K");
        await RefusedAsync(5, Base, "apply", "--limit-entries", "1");
        await RefusedAsync(5, Tars.Of(("../escape", "x")), "apply");
        await File.WriteAllBytesAsync(Store["layer.tar"], Base);
        await RefusedAsync(5, null, "import", Store["layer.tar"]);
        Assert.Equal(["base", "top"], (await Store.RunAsync("layers", "-q")).Exits(0).Lines);
        (await Store.RunAsync("gc")).Exits(0); // Which waits for what is deleted.
        Assert.Empty(Store.Leftovers());
    }

    /// <summary>How this class of tests begins: with a node, or without.</summary>
    protected abstract Task BeginAsync();

    private async Task RefusedAsync(int exit, byte[]? input, params string[] arguments)
    {
        var run = (await CliProcess.RunAsync(Store.Environment, input, [.. arguments, "--quiet"])).Exits(exit);
        Assert.Empty(run.Bytes);
        Assert.Matches(@"\Astorage-actors: [a-z]+: [^\n]+\.\n\z", run.Error);

        var json = (await CliProcess.RunAsync(Store.Environment, input, [.. arguments, "--json"])).Exits(exit);
        var error = JsonDocument.Parse(json.Error).RootElement.GetProperty("error");
        Assert.NotEqual("", error.GetProperty("code").GetString());
        Assert.NotEqual("", error.GetProperty("message").GetString());
        Assert.NotEqual("", error.GetProperty("operation").GetString());
    }

    private static void AssertKeys(JsonElement element, string keys) =>
        Assert.Equal(keys.Split(' ').Order(), element.EnumerateObject().Select(static property => property.Name).Order());
}
