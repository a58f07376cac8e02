using System.Text.Json;
using System.Text.RegularExpressions;
using Xunit;

namespace StorageActors.EndToEndTests.Cli;

/// <summary>What the command says without a store: help, versions, completions, and what it makes of wrong usage.</summary>
public sealed partial class UsageTests
{
    private static readonly Dictionary<string, string> Nowhere = new(StringComparer.Ordinal) { ["STORAGE_ACTORS_ROOT"] = "/nonexistent/root" };

    [GeneratedRegex(@"^storage-actors: [a-z]+: .+\.\n$", RegexOptions.NonBacktracking)]
    private static partial Regex ErrorLine();

    [Theory]
    [InlineData("layers", "--bogus")]
    [InlineData("explode")]
    [InlineData]
    [InlineData("apply", "--bogus")]
    [InlineData("inspect", "--bogus")]
    [InlineData("rm", "one", "--bogus", "--", "--two")]
    [InlineData("mount", "-x")]
    [InlineData("inspect")]
    [InlineData("rm")]
    [InlineData("--driver", "zfs", "info")]
    [InlineData("apply", "--id", "../x", "y")]
    [InlineData("apply", "--diff-id", "sha256:1", "y")]
    [InlineData("apply", "--limit-size", "5Q", "y")]
    [InlineData("apply", "--limit-size", "0", "y")]
    [InlineData("apply", "--limit-entries", "many", "y")]
    [InlineData("apply", "--limit-entries", "0", "y")]
    [InlineData("create", "--image", "a", "--parent", "b")]
    [InlineData("create", "--label", "novalue")]
    [InlineData("umount", "x", "--all", "--lease", "l")]
    [InlineData("diff", "x", "--gzip", "--zstd")]
    [InlineData("import", "nonsense:x:y:z", "--platform")]
    [InlineData("import", "x", "--created", "yesterday")]
    [InlineData("label", "x", "--label", "novalue")]
    [InlineData("document", "x", "--remove")]
    [InlineData("document", "x", "key", "--remove", "--put", "file")]
    public async Task Wrong_usage_is_one_line_and_exit_2(params string[] arguments)
    {
        var run = (await CliProcess.RunAsync(Nowhere, null, arguments)).Exits(2);
        Assert.Empty(run.Bytes);
        Assert.Matches(ErrorLine(), run.Error);
    }

    [Fact]
    public async Task Wrong_usage_with_json_is_an_object()
    {
        var run = (await CliProcess.RunAsync(Nowhere, null, "--json", "rm")).Exits(2);
        var error = JsonDocument.Parse(run.Error).RootElement.GetProperty("error");
        Assert.Equal("invalidArgument", error.GetProperty("code").GetString());
        Assert.Contains("ID", error.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("rm: there is no option --forc; is it --force? See storage-actors rm --help.", "rm", "one", "--forc")]
    [InlineData("apply: there is no option --parnet=base; is it --parent? See storage-actors apply --help.", "apply", "--parnet=base", "layer.tar")]
    [InlineData("layers: there is no option --jsno; is it --json? See storage-actors layers --help.", "layers", "--jsno")]
    [InlineData("inspect: there is no option --bogus. See storage-actors inspect --help.", "inspect", "--bogus")]
    [InlineData("usage: there is no verb remove; is it rm? See storage-actors --help.", "remove", "one", "--force")]
    [InlineData("usage: there is no verb removes; is it rm? See storage-actors --help.", "removes")]
    [InlineData("usage: there is no verb mounts; is it mount? See storage-actors --help.", "mounts")]
    [InlineData("apply: --parent wants a value, and --name is an option. See storage-actors apply --help.", "apply", "--parent", "--name", "x")]
    [InlineData("apply: --name wants a value, and -q is an option. See storage-actors apply --help.", "apply", "x", "--name", "-q")]
    [InlineData("create: --label wants a value, and --name=x is an option. See storage-actors create --help.", "create", "--label", "--name=x")]
    [InlineData("diff: -o wants a value, and --gzip is an option. See storage-actors diff --help.", "diff", "x", "-o", "--gzip")]
    [InlineData("layers: --root wants a value, and --tree is an option. See storage-actors layers --help.", "layers", "--root", "--tree")]
    [InlineData("usage: there is no verb explode. See storage-actors --help.", "explode")]
    public async Task A_mistyped_word_is_named_with_the_one_that_was_meant(string error, params string[] arguments) =>
        Assert.Equal($"storage-actors: {error}\n", (await CliProcess.RunAsync(Nowhere, null, arguments)).Exits(2).Error);

    [Fact]
    public async Task A_file_whose_name_begins_with_a_dash_comes_after_two()
    {
        var run = (await CliProcess.RunAsync(Nowhere, null, "apply", "--", "--layer.tar")).Exits(1);
        Assert.Contains("--layer.tar\": No such file", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Help_lists_every_verb()
    {
        var run = (await CliProcess.RunAsync(Nowhere, null, "--help")).Exits(0);
        string[] verbs =
        [
            "import", "export", "images", "layers", "inspect", "apply", "create", "commit", "mount", "umount", "umount-all", "ps", "diff", "changes", "rm", "name", "label", "document",
            "df", "check", "gc", "rebuild", "stats", "info", "node", "demo", "completion",
        ];
        foreach (var verb in verbs) Assert.Matches($@"(?m)^  {verb}\b", run.Text);
        Assert.Empty(run.Error);
    }

    [Fact]
    public async Task A_reader_of_the_help_may_go_away()
    {
        var run = await CliProcess.RunUnreadAsync(Nowhere, "--help");
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
    }

    [Fact]
    public void Help_that_has_nowhere_to_go_is_one_line()
    {
        var run = TestSupport.Command.TryRun("sh", "-c", "exec \"$0\" --help >/dev/full", CliProcess.Executable)!;
        Assert.Equal(1, run.ExitCode);
        Assert.Matches(ErrorLine(), run.Error);
        Assert.Contains("Free space where it goes", run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("gc", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_root_that_is_too_long_for_the_journal_is_wrong_usage()
    {
        var root = "/nonexistent/" + string.Join('/', Enumerable.Repeat(new string('a', 200), 3));
        var run = (await CliProcess.RunAsync(Nowhere, null, "--root", root, "info")).Exits(2);
        Assert.Matches(ErrorLine(), run.Error);
        Assert.Contains("493 bytes", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_version_is_printed() =>
        Assert.Matches(@"^\d+\.\d+\.\d+", (await CliProcess.RunAsync(Nowhere, null, "--version")).Exits(0).Text);

    [Theory]
    [InlineData("bash", "complete -o default -F")]
    [InlineData("zsh", "#compdef storage-actors")]
    [InlineData("fish", "complete -c storage-actors")]
    public async Task Completion_prints_a_script(string shell, string contains) =>
        Assert.Contains(contains, (await CliProcess.RunAsync(Nowhere, null, "completion", shell)).Exits(0).Text, StringComparison.Ordinal);

    [Fact]
    public async Task The_scripts_ask_for_verbs_and_options()
    {
        Assert.Equal(["apply"], (await CliProcess.RunAsync(Nowhere, null, "[suggest:17]", "storage-actors ap")).Exits(0).Lines);
        Assert.Contains("--parent", (await CliProcess.RunAsync(Nowhere, null, "[suggest:23]", "storage-actors apply --")).Exits(0).Lines);
        var all = (await CliProcess.RunAsync(Nowhere, null, "[suggest:15]", "storage-actors ")).Exits(0).Lines;
        Assert.Contains("--help", all);
        Assert.DoesNotContain(all, static word => word.Contains('?', StringComparison.Ordinal) || word.StartsWith('/'));
    }

    [Fact]
    public async Task A_file_that_is_not_there_is_named_with_its_errno()
    {
        var run = (await CliProcess.RunAsync(Nowhere, null, "apply", "/nonexistent/layer.tar")).Exits(1);
        Assert.Equal("storage-actors: apply: open \"/nonexistent/layer.tar\": No such file or directory (ENOENT).\n", run.Error);
    }
}
