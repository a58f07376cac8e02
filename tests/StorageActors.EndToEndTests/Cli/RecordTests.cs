using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.EndToEndTests.Cli;

/// <summary>Each verb hosts the engine in its own process.</summary>
public sealed class RecordsInProcessTests : RecordTests
{
    protected override Task BeginAsync() => Task.CompletedTask;
}

/// <summary>Each verb talks to a node.</summary>
public sealed class RecordsOnNodeTests : RecordTests
{
    protected override async Task BeginAsync() => Assert.Contains("ready on", await Store.StartNodeAsync(), StringComparison.Ordinal);
}

/// <summary>What is kept of layers and images besides their content, through the command alone.</summary>
public abstract class RecordTests : IAsyncLifetime
{
    private static readonly byte[] Base = Tars.Of(("etc/", ""), ("etc/motd", "hello\n"));

    private protected CliStore Store { get; } = new();

    public async Task InitializeAsync() => await BeginAsync();

    public async Task DisposeAsync() => await Store.DisposeAsync();

    [SkippableFact]
    public async Task An_image_shows_its_own_date_and_keeps_it_through_export_and_import()
    {
        RequiredTiers.SkipUnlessRoot();
        const string made = "2021-02-03T04:05:06.789Z";
        var layout = OciLayout.Write(Store["image"], made, [Tars.Gzip(Base), Base]);
        (await Store.RunAsync("import", layout.Path, "--name", "app:1")).Exits(0);
        Assert.Contains("2021-02-03", (await Store.RunAsync("images")).Exits(0).Lines[1], StringComparison.Ordinal);
        var image = (await Store.RunAsync("inspect", "app:1")).Exits(0).Json;
        Assert.Equal(made, image.GetProperty("created").GetString());
        Assert.True(image.GetProperty("added").GetDateTimeOffset() > image.GetProperty("created").GetDateTimeOffset());

        (await Store.RunAsync("export", "app:1", $"oci-archive:{Store["out.tar"]}")).Exits(0);
        (await Store.RunAsync("export", "app:1", $"docker-archive:{Store["docker.tar"]}")).Exits(0);
        foreach (var archive in new[] { Store["out.tar"], Store["docker.tar"] })
        {
            (await Store.RunAsync("rm", "app:1")).Exits(0);
            (await Store.RunAsync("import", archive, "--name", "app:1")).Exits(0);
            Assert.Equal(made, (await Store.RunAsync("inspect", "app:1")).Exits(0).Json.GetProperty("created").GetString());
        }

        (await Store.RunAsync("import", layout.Path, "--name", "app:2", "--created", "1999-12-31")).Exits(0);
        Assert.Contains("1999-12-31", (await Store.RunAsync("images")).Exits(0).Lines[1], StringComparison.Ordinal);
        (await Store.RunAsync("name", "app:2", "--remove", "app:1")).Exits(0);
        Assert.Equal(["app:2", "app:1"], (await Store.RunAsync("inspect", "app:2")).Exits(0).Json.GetProperty("namesHistory").EnumerateArray().Select(static name => name.GetString()));
    }

    [SkippableFact]
    public async Task Labels_are_given_with_layers_and_images_and_changed_later()
    {
        RequiredTiers.SkipUnlessRoot();
        var layout = OciLayout.Write(Store["image"], Tars.Gzip(Base), Base);
        (await Store.RunAsync("import", layout.Path, "--name", "app:1", "--label", "team=web", "--label", "tier=1")).Exits(0);
        (await Store.FeedAsync(Base, "apply", "--id", "base", "--label", "from=stdin")).Exits(0);
        (await Store.FeedAsync(Base, "apply", "--id", "again", "--reuse", "--label", "seen=twice")).Exits(0);
        (await Store.RunAsync("create", "--id", "box", "--label", "a=1")).Exits(0);
        (await Store.RunAsync("commit", "box", "--label", "b=2")).Exits(0);

        Assert.Equal(["team=web", "tier=1"], (await Store.RunAsync("label", "app:1")).Exits(0).Lines);
        Assert.Equal(["a=1", "b=2"], (await Store.RunAsync("label", "box")).Exits(0).Lines);
        Assert.Equal(["team=db", "x=y=z"], (await Store.RunAsync("label", "app:1", "--label", "team=db", "--label", "x=y=z", "--remove", "tier")).Exits(0).Lines);
        Assert.Equal("stdin", (await Store.RunAsync("inspect", "base")).Exits(0).Json.GetProperty("labels").GetProperty("from").GetString());
        Assert.Equal("db", (await Store.RunAsync("images", "--json")).Exits(0).Json[0].GetProperty("labels").GetProperty("team").GetString());
        Assert.Equal("2", (await Store.RunAsync("label", "box", "--label", "a=", "--json")).Exits(0).Json.GetProperty("labels").GetProperty("b").GetString());
        Assert.Contains((await Store.RunAsync("layers", "--json")).Exits(0).Json.EnumerateArray(), static layer => layer.GetProperty("labels").TryGetProperty("seen", out _));
        (await Store.RunAsync("label", "nosuch", "--label", "a=1")).Exits(3);
        (await Store.RunAsync("check", "--full")).Exits(0);
    }

    [SkippableFact]
    public async Task A_layer_has_documents_and_labels_from_the_command_that_makes_or_finds_it()
    {
        RequiredTiers.SkipUnlessRoot();
        await File.WriteAllTextAsync(Store["note"], "kept");
        (await Store.FeedAsync(Base, "apply", "--id", "base", "--document", "A Note=" + Store["note"], "--document", "b=" + Store["note"])).Exits(0);
        (await Store.RunAsync("create", "--id", "box", "--parent", "base", "--document", "c=" + Store["note"])).Exits(0);
        Assert.Equal(["A Note", "b"], (await Store.RunAsync("document", "base", "-q")).Exits(0).Lines);
        Assert.Equal("kept", (await Store.RunAsync("document", "box", "c")).Exits(0).Text);
        Assert.Equal("true", (await Store.FeedAsync(Base, "apply", "--reuse", "--label", "k=v", "--name", "again", "--json")).Exits(0).Json.GetProperty("reused").GetRawText());
        Assert.Equal("v", (await Store.RunAsync("inspect", "again")).Exits(0).Json.GetProperty("labels").GetProperty("k").GetString());
        (await Store.FeedAsync(Base, "apply", "--reuse", "--document", "c=" + Store["note"])).Exits(2);
        (await Store.RunAsync("create", "--id", "other", "--document", "c")).Exits(2);
        (await Store.RunAsync("create", "--id", "other", "--document", "c=" + Store["missing"])).Exits(1);
        (await Store.RunAsync("inspect", "other")).Exits(3);
        (await Store.RunAsync("check", "--full")).Exits(0);
    }

    [SkippableFact]
    public async Task Documents_of_layers_and_images_are_put_listed_given_and_removed()
    {
        RequiredTiers.SkipUnlessRoot();
        var layout = OciLayout.Write(Store["image"], Tars.Gzip(Base), Base);
        (await Store.RunAsync("import", layout.Path, "--name", "app:1")).Exits(0);
        (await Store.FeedAsync(Base, "apply", "--id", "base")).Exits(0);
        await File.WriteAllBytesAsync(Store["notes"], [0, 1, 255]);
        foreach (var owner in new[] { "base", "app:1" })
        {
            (await Store.RunAsync("document", owner, "Some Notes", "--put", Store["notes"])).Exits(0);
            var listed = (await Store.FeedAsync("piped"u8.ToArray(), "document", owner, "log.1", "--put", "-", "--json")).Exits(0).Json.GetProperty("documents").EnumerateArray().ToList();
            Assert.Contains(listed, static item => item.GetProperty("key").GetString() == "Some Notes" && item.GetProperty("size").GetInt64() == 3);
            Assert.Contains("log.1", (await Store.RunAsync("document", owner, "-q")).Exits(0).Lines);
            Assert.Equal([0, 1, 255], (await Store.RunAsync("document", owner, "Some Notes")).Exits(0).Bytes);
            (await Store.RunAsync("document", owner, "log.1", "-o", Store["out"])).Exits(0);
            Assert.Equal("piped", await File.ReadAllTextAsync(Store["out"]));
            await File.WriteAllTextAsync(Store["out"], "what was there");
            File.CreateSymbolicLink(Store["null"], "/dev/null");
            (await Store.RunAsync("document", owner, "log.1", "-o", Store["null"])).Exits(0);
            Assert.Equal("/dev/null", new FileInfo(Store["null"]).LinkTarget);
            File.Delete(Store["null"]);
            (await Store.RunAsync("document", owner, "log.1", "-o", Store["no/such/place"])).Exits(1);
            (await Store.RunAsync("document", owner, "log.1", "-o", Path.GetDirectoryName(Store["out"])!)).Exits(1);
            Assert.Contains("log.1", (await Store.RunAsync("inspect", owner)).Exits(0).Text, StringComparison.Ordinal);
            Assert.DoesNotContain("log.1", (await Store.RunAsync("document", owner, "log.1", "--remove")).Exits(0).Text, StringComparison.Ordinal);
            (await Store.RunAsync("document", owner, "log.1")).Exits(3);
        }

        Assert.Contains("Make the directory", (await Store.RunAsync("diff", "base", "-o", Store["no/such/place"])).Exits(3).Error, StringComparison.Ordinal);
        Assert.Contains("/dev/full", (await Store.RunAsync("diff", "base", "-o", "/dev/full")).Exits(1).Error, StringComparison.Ordinal);
        (await Store.RunAsync("document", "app:1", "manifest", "--remove")).Exits(2);
        await File.WriteAllBytesAsync(Store["large"], new byte[(16 << 20) + 1]);
        (await Store.RunAsync("document", "base", "large", "--put", Store["large"])).Exits(5);
        var usage = (await Store.RunAsync("df", "--json")).Exits(0).Json;
        Assert.Equal(1, usage.GetProperty("blobs").GetInt32());
        Assert.True(usage.GetProperty("blobBytes").GetInt64() > 0);
        Assert.Contains(usage.GetProperty("layers").EnumerateArray(), static layer => layer.GetProperty("documentBytes").GetInt64() == 3);
        (await Store.RunAsync("create", "--id", "box", "--parent", "base")).Exits(0);
        var shown = (await Store.RunAsync("df")).Exits(0).Text;
        Assert.Contains("kept blobs", shown, StringComparison.Ordinal);
        Assert.Matches("(?m)^box .* unknown ", shown);
        (await Store.RunAsync("check", "--full")).Exits(0);
    }

    /// <summary>How this class of tests begins: with a node, or without.</summary>
    protected abstract Task BeginAsync();
}
