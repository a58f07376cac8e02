using System.Text.RegularExpressions;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.EndToEndTests.Cli;

/// <summary>Questions answered from the journal print what an engine would have answered, byte for byte but for ages.</summary>
public sealed partial class ReadingTests : IAsyncLifetime
{
    private readonly CliStore _store = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _store.DisposeAsync();

    [SkippableFact]
    public async Task Every_question_has_the_same_answer_with_and_without_an_engine()
    {
        RequiredTiers.SkipUnlessRoot();
        var mount = await FillAsync();
        string[][] questions =
        [
            ["layers"], ["layers", "--tree"], ["layers", "--json"], ["images"], ["images", "--json"], ["inspect", "base"], ["inspect", "named"], ["inspect", mount],
            ["ps"], ["ps", "--json"], ["ps", "-q"], ["inspect", "nothing"],
        ];
        var config = _store["empty.conf"];
        await File.WriteAllTextAsync(config, "");

        // Without a node: the journal alone, then an engine, which a configuration asks for.
        var owner = await File.ReadAllTextAsync(Path.Combine(_store.Root, "owner.lock"));
        var read = await Task.WhenAll(questions.Select(question => _store.RunAsync(question)));
        Assert.Equal(owner, await File.ReadAllTextAsync(Path.Combine(_store.Root, "owner.lock")));
        for (var i = 0; i < questions.Length; i++) AssertSame(questions[i], await _store.RunAsync([.. questions[i], "--config", config]), read[i]);
        Assert.NotEqual(owner, await File.ReadAllTextAsync(Path.Combine(_store.Root, "owner.lock")));

        // Beside a node: the journal, and the node when its socket is named.
        await _store.StartNodeAsync();
        read = await Task.WhenAll(questions.Select(question => _store.RunAsync(question)));
        var asked = await Task.WhenAll(questions.Select(question => _store.RunAsync([.. question, "--socket", Path.Combine(_store.Root, "node.sock")])));
        for (var i = 0; i < questions.Length; i++) AssertSame(questions[i], asked[i], read[i]);
        Assert.Equal("0", (await _store.RunAsync("umount", "box")).Exits(0).Line);
    }

    [Fact]
    public async Task A_question_makes_no_store_whichever_way_it_is_asked()
    {
        var config = _store["some.conf"];
        await File.WriteAllTextAsync(config, "storage-actors.drain-timeout = 1s");
        string[][] ways = [[], ["--config", config], ["--socket", _store["no.sock"]], ["--config", config, "--driver", "vfs"]];
        foreach (var way in ways)
        {
            foreach (var verb in (string[])["layers", "images", "ps"]) Assert.Equal("[]\n", (await _store.RunAsync([verb, "--json", .. way])).Exits(0).Text);
            (await _store.RunAsync(["inspect", "nothing", .. way])).Exits(3);
        }

        Assert.False(Directory.Exists(_store.Root));
    }

    [Fact]
    public async Task A_question_on_a_fresh_file_system_or_beside_a_store_that_was_never_finished_makes_none()
    {
        string[] there = ["lost+found", "owner.lock", "staging"];
        foreach (var name in there.Where(static name => name != "owner.lock")) Directory.CreateDirectory(Path.Combine(_store.Root, name));
        await File.WriteAllTextAsync(Path.Combine(_store.Root, "owner.lock"), "");
        Assert.Equal("[]\n", (await _store.RunAsync("layers", "--json")).Exits(0).Text);
        Assert.Equal("no-store", Assert.Single((await _store.RunAsync("check", "--json")).Exits(0).Json.EnumerateArray()).GetProperty("kind").GetString());
        Assert.Equal(there, Directory.GetFileSystemEntries(_store.Root).Select(static path => Path.GetFileName(path)).Order(StringComparer.Ordinal));
        (await _store.RunAsync("create")).Exits(0);
    }

    [Fact]
    public async Task What_only_an_engine_could_answer_makes_no_store_either()
    {
        var config = _store["some.conf"];
        await File.WriteAllTextAsync(config, "storage-actors.drain-timeout = 1s");
        foreach (var way in (string[][])[[], ["--config", config]])
        {
            var usage = (await _store.RunAsync(["df", "--json", .. way])).Exits(0).Json;
            Assert.Equal(0, usage.GetProperty("total").GetProperty("layers").GetInt32());
            Assert.True(usage.GetProperty("freeBytes").GetInt64() > 0);
            Assert.Empty((await _store.RunAsync(["stats", "--json", .. way])).Exits(0).Json.GetProperty("counters").EnumerateArray());
            Assert.Empty((await _store.RunAsync(["gc", "--json", .. way])).Exits(0).Json.GetProperty("layers").EnumerateArray());
            Assert.Equal("no-store", Assert.Single((await _store.RunAsync(["check", "--full", "--json", .. way])).Exits(0).Json.EnumerateArray()).GetProperty("kind").GetString());
            (await _store.RunAsync(["diff", "nothing", "-o", _store["out"], .. way])).Exits(3);
            (await _store.RunAsync(["changes", "nothing", .. way])).Exits(3);
            (await _store.RunAsync(["export", "nothing", "oci:" + _store["layout"], .. way])).Exits(3);
            (await _store.RunAsync(["document", "nothing", "key", .. way])).Exits(3);
        }

        Assert.False(Directory.Exists(_store.Root));
        Assert.False(File.Exists(_store["out"]));
    }

    [SkippableTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_a_store_would_be_is_told_without_making_it(bool hasRoot)
    {
        RequiredTiers.SkipUnlessRoot();
        if (hasRoot) Directory.CreateDirectory(_store.Root);
        var before = Above().ToList();
        foreach (var way in (string[][])[[], ["--driver", "vfs"], ["--socket", _store["no.sock"]]])
        {
            var info = (await _store.RunAsync(["info", "--json", .. way])).Exits(0).Json;
            Assert.Equal((_store.Root, "", "none: there is no store"), (info.GetProperty("root").GetString(), info.GetProperty("storeId").GetString(), info.GetProperty("engine").GetString()));
            if (way is ["--driver", ..]) Assert.Equal("vfs", info.GetProperty("driver").GetString());
            else Assert.NotEqual("", info.GetProperty("driver").GetString());
            Assert.DoesNotContain(".storage-actors-", info.GetRawText(), StringComparison.Ordinal);
        }

        Assert.Equal(before, Above());
        if (hasRoot) Assert.Empty(Directory.EnumerateFileSystemEntries(_store.Root));
        Assert.Equal(2, (await _store.RunAsync("info", "--driver", "zfs")).ExitCode);
        Assert.Equal(before, Above());
        (await _store.RunAsync("create")).Exits(0);
        Assert.NotEqual("", (await _store.RunAsync("info", "--json")).Exits(0).Json.GetProperty("storeId").GetString());

        IEnumerable<string> Above() => Directory.GetFileSystemEntries(Path.GetDirectoryName(_store.Root)!).Order(StringComparer.Ordinal);
    }

    [SkippableFact]
    public async Task A_layer_shows_the_directories_that_its_mount_is_made_of()
    {
        RequiredTiers.SkipUnlessRoot();
        var mount = await FillAsync();

        var places = (await _store.RunAsync("inspect", "box")).Exits(0).Json.GetProperty("storage");

        var home = Path.Combine(_store.Root, "overlay");
        Assert.Equal(("overlay", $"{home}/box"), (places.GetProperty("driver").GetString(), places.GetProperty("directory").GetString()));
        Assert.Equal(($"{home}/box/diff", mount), (places.GetProperty("upperDir").GetString(), places.GetProperty("mergedDir").GetString()));
        Assert.Equal($"{home}/base/diff", Assert.Single(places.GetProperty("lowerDirs").EnumerateArray()).GetString());
        Assert.True(Directory.Exists(places.GetProperty("workDir").GetString()));
        Assert.NotEmpty(places.GetProperty("fileSystem").GetString()!);
        (await _store.RunAsync("umount", "box")).Exits(0);

        Directory.Delete($"{home}/base", recursive: true);
        var lost = (await _store.RunAsync("inspect", "base")).Exits(0);
        Assert.Equal("base", lost.Json.GetProperty("id").GetString());
        Assert.False(lost.Json.TryGetProperty("storage", out _));
        Assert.Contains("warning", lost.Error, StringComparison.Ordinal);
    }

    /// <summary>Layers, an image, a name, and a mount, whose path is returned.</summary>
    private async Task<string> FillAsync()
    {
        var (lower, upper) = (Tars.Of(("a", "1")), Tars.Of(("b", "2")));
        OciLayout.Write(_store["image"], Tars.Gzip(lower), lower, Tars.Gzip(upper), upper);
        (await _store.RunAsync("import", _store["image"], "--name", "named")).Exits(0);
        (await _store.FeedAsync(Tars.Of(("c", "3")), "apply", "--id", "base", "--name", "some/name:1")).Exits(0);
        (await _store.RunAsync("create", "--parent", "base", "--id", "box", "--label", "k=v")).Exits(0);
        return (await _store.RunAsync("mount", "box", "--lease", "kept")).Exits(0).Line;
    }

    private static void AssertSame(string[] question, CliResult engine, CliResult read)
    {
        var words = string.Join(' ', question);
        Assert.Equal((words, engine.ExitCode), (words, read.ExitCode));
        var isDocument = question.Contains("--json", StringComparer.Ordinal) || question[0] == "inspect";
        Assert.Equal(isDocument ? engine.Text : WithoutAges(engine.Text), isDocument ? read.Text : WithoutAges(read.Text));
        Assert.Equal(engine.Error, read.Error);
    }

    private static string WithoutAges(string table) => Spaces().Replace(Age().Replace(table, "AGE"), " ");

    [GeneratedRegex(@"just now|\d+ \w+ ago", RegexOptions.None, 1000)]
    private static partial Regex Age();

    [GeneratedRegex(" +", RegexOptions.None, 1000)]
    private static partial Regex Spaces();
}
