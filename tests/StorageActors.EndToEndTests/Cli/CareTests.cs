using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.EndToEndTests.Cli;

/// <summary>Looking after a real store: check, repair, rebuild, and who keeps a mount busy.</summary>
public sealed class CareTests : IAsyncLifetime
{
    private readonly CliStore _store = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _store.DisposeAsync();

    [SkippableFact]
    public async Task The_journal_of_a_real_store_is_made_again_from_its_directories()
    {
        RequiredTiers.SkipUnlessRoot();
        await FillAsync();
        var before = await DescribeAsync();
        (await _store.RunAsync("rebuild", "--dry-run")).Exits(0);
        foreach (var file in Directory.GetFiles(_store.Root, "journal.db*")) File.Delete(file);

        var report = (await _store.RunAsync("rebuild", "--json")).Exits(0).Json;

        Assert.Equal((4, 1), (report.GetProperty("layers").GetArrayLength(), report.GetProperty("images").GetArrayLength()));
        Assert.Equal(before, await DescribeAsync());
        (await _store.RunAsync("check", "--full")).Exits(0);
        var path = (await _store.RunAsync("mount", "box", "--lease", "mine")).Exits(0).Line;
        Assert.Equal("z", await File.ReadAllTextAsync(Path.Combine(path, "added")));
        Assert.Contains("box", (await _store.RunAsync("rebuild")).Exits(4).Error, StringComparison.Ordinal);
        (await _store.RunAsync("umount", "box")).Exits(0);
    }

    [SkippableFact]
    public async Task Damage_is_found_named_marked_and_healed_while_all_else_works()
    {
        RequiredTiers.SkipUnlessRoot();
        await FillAsync();
        var file = Path.Combine(_store.Root, "overlay/sealed/diff/added");
        var written = File.GetLastWriteTimeUtc(file);
        await File.WriteAllTextAsync(file, "y");
        File.SetLastWriteTimeUtc(file, written);

        (await _store.RunAsync("check")).Exits(0); // The content is not read.
        var found = (await _store.RunAsync("check", "--full")).Exits(6).Text;
        Assert.Matches("digest-mismatch +sealed +stands +.*/added", found);
        (await _store.RunAsync("mount", "sealed", "--lease", "a")).Exits(0);
        (await _store.RunAsync("umount", "sealed")).Exits(0);
        Assert.False((await _store.RunAsync("check", "--full", "--repair", "--json")).Exits(6).Json[0].GetProperty("repaired").GetBoolean()); // It is marked, and stands.
        Assert.Matches("damaged-layer +sealed +stands +it is marked as damaged", (await _store.RunAsync("check")).Exits(6).Text);
        Assert.Contains("sealed", (await _store.RunAsync("mount", "sealed")).Exits(6).Error, StringComparison.Ordinal);
        Assert.Contains("sealed", (await _store.RunAsync("mount", "box")).Exits(6).Error, StringComparison.Ordinal); // It rests on it.
        (await _store.RunAsync("create", "--image", "app:1", "--id", "other")).Exits(0);
        await WriteAsync("other");

        await File.WriteAllTextAsync(file, "z");
        File.SetLastWriteTimeUtc(file, written);
        Assert.Contains("--repair", (await _store.RunAsync("check", "--full", "--dry-run")).Error, StringComparison.Ordinal);
        Assert.DoesNotContain("--dry-run", (await _store.RunAsync("check", "--full", "--repair", "--dry-run")).Error, StringComparison.Ordinal);
        (await _store.RunAsync("check", "--full", "--repair")).Exits(0);
        (await _store.RunAsync("check", "--full")).Exits(0);
    }

    [SkippableFact]
    public async Task A_full_check_finds_a_layer_that_cannot_be_mounted_and_young_garbage_is_kept_when_asked_to()
    {
        RequiredTiers.SkipUnlessRoot();
        await FillAsync();
        (await _store.FeedAsync(Tars.Of(("a", "1")), "apply", "--id", "loose")).Exits(0);
        Assert.Empty((await _store.RunAsync("check", "--full")).Exits(0).Text);
        Assert.Empty((await _store.RunAsync("gc", "--older-than", "24h")).Exits(0).Text);
        (await _store.RunAsync("gc", "--older-than", "0h")).Exits(2);

        // The directory of a container's own files is gone, which no archive of it could show.
        Directory.Move(Path.Combine(_store.Root, "overlay/box/diff"), _store["diff"]);
        (await _store.RunAsync("check")).Exits(0);
        Assert.Matches("not-mountable +box +stands +it cannot be mounted", (await _store.RunAsync("check", "--full")).Exits(6).Text);
        Directory.Move(_store["diff"], Path.Combine(_store.Root, "overlay/box/diff"));
        Assert.Equal("loose", (await _store.RunAsync("gc")).Exits(0).Line);
        (await _store.RunAsync("check", "--full")).Exits(0);
    }

    [SkippableFact]
    public async Task A_refusal_says_in_json_which_of_its_kind_it_is_and_whose_the_name_is()
    {
        RequiredTiers.SkipUnlessRoot();
        (await _store.RunAsync("create", "--id", "one", "--name", "taken")).Exits(0);
        (await _store.RunAsync("mount", "one", "--lease", "mine")).Exits(0);

        var taken = await ErrorAsync(4, "create", "--id", "two", "--name", "taken", "--json");
        Assert.Equal(("alreadyExists", "duplicateLayerName", "one"), (Text(taken, "code"), Text(taken, "reason"), Text(taken, "layer")));
        Assert.Equal("layerLeased", Text(await ErrorAsync(4, "rm", "one", "--json"), "reason"));
        Assert.Equal("unknownReference", Text(await ErrorAsync(3, "inspect", "nothing", "--json"), "reason"));
        var odd = await ErrorAsync(2, "name", "one", "--add", "a b", "--json");
        Assert.Equal("invalidName", Text(odd, "reason"));
        Assert.False(odd.TryGetProperty("layer", out _));
        (await _store.RunAsync("umount", "one")).Exits(0);

        static string? Text(JsonElement error, string key) => error.GetProperty(key).GetString();
        async Task<JsonElement> ErrorAsync(int exit, params string[] words) =>
            JsonDocument.Parse((await _store.RunAsync(words)).Exits(exit).Error).RootElement.GetProperty("error");
    }

    [SkippableFact]
    public async Task A_busy_mount_names_the_process_and_the_mount_namespace_that_keep_it()
    {
        RequiredTiers.SkipUnlessRoot();
        Tools.Require("unshare");
        (await _store.RunAsync("create", "--id", "box")).Exits(0);
        var path = (await _store.RunAsync("mount", "box", "--lease", "mine")).Exits(0).Line;
        // Nobody but, for a moment, a mount namespace that another test makes, into which every mount is copied.
        Assert.All((await _store.RunAsync("ps", "--why", "box")).Exits(0).Lines, static line => Assert.StartsWith("the mount namespace ", line, StringComparison.Ordinal));
        using var inside = Start("sh", ["-c", "cd \"$0\" && echo ready && exec sleep 3000", path]);
        using var elsewhere = Start("unshare", ["--mount", "--propagation", "private", "sh", "-c", "readlink /proc/self/ns/mnt && exec sleep 3001"]);
        try
        {
            await inside.StandardOutput.ReadLineAsync();
            var space = (await elsewhere.StandardOutput.ReadLineAsync())!.Split('[', ']')[1];
            foreach (var process in new[] { inside, elsewhere }) await BecomesAsync(process, "sleep");

            var why = (await _store.RunAsync("ps", "--why", "box")).Exits(0).Text;
            Assert.Matches($@"process {inside.Id} \(sleep 3000\) works in {Regex.Escape(path)}", why);
            Assert.Matches($@"mount namespace {space} of process {elsewhere.Id} \(sleep 3001\) has it at {Regex.Escape(path)}", why);
            var busy = (await _store.RunAsync("umount", "box")).Exits(4).Error;
            Assert.Matches($@"process {inside.Id} \(sleep 3000\).*namespace {space} of process {elsewhere.Id}.*\(EBUSY\)", busy);
            Assert.Contains("mine", (await _store.RunAsync("ps")).Exits(0).Text, StringComparison.Ordinal);
        }
        finally
        {
            inside.Kill();
            await inside.WaitForExitAsync();
        }

        // A copy in another namespace keeps nothing busy here.
        (await _store.RunAsync("umount", "box")).Exits(0);
        Assert.DoesNotContain(path, await File.ReadAllTextAsync($"/proc/{elsewhere.Id}/mountinfo"), StringComparison.Ordinal);
        elsewhere.Kill();
        await elsewhere.WaitForExitAsync();
        (await _store.RunAsync("rm", "box")).Exits(0);
    }

    /// <summary>A shell that has said what it has to say is not yet the program that it becomes.</summary>
    private static async Task BecomesAsync(Process process, string program)
    {
        using var late = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (!(await File.ReadAllTextAsync($"/proc/{process.Id}/cmdline", late.Token)).StartsWith(program, StringComparison.Ordinal)) await Task.Delay(5, late.Token);
    }

    private static Process Start(string program, IEnumerable<string> arguments) =>
        Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, UseShellExecute = false })!;

    private async Task FillAsync()
    {
        var (below, above) = (Tars.Of(("etc/", ""), ("etc/motd", "hello\n")), Tars.Of(("etc/.wh.motd", ""), ("new/", ""), ("new/file", "x")));
        var layout = OciLayout.Write(_store["image"], Tars.Gzip(below), below, Tars.Gzip(above), above);
        (await _store.RunAsync("import", layout.Path, "--name", "app:1")).Exits(0);
        (await _store.RunAsync("create", "--image", "app:1", "--id", "sealed", "--label", "k=v")).Exits(0);
        await WriteAsync("sealed");
        (await _store.RunAsync("commit", "sealed", "--name", "done")).Exits(0);
        (await _store.RunAsync("create", "--parent", "sealed", "--id", "box", "--name", "container")).Exits(0);
        await WriteAsync("box");
    }

    private async Task WriteAsync(string layer)
    {
        var path = (await _store.RunAsync("mount", layer, "--lease", "w")).Exits(0).Line;
        await File.WriteAllTextAsync(Path.Combine(path, "added"), "z");
        (await _store.RunAsync("umount", layer)).Exits(0);
    }

    /// <summary>All that lists say, and the archive of each sealed layer.</summary>
    private async Task<string> DescribeAsync()
    {
        var layers = (await _store.RunAsync("layers", "--json")).Exits(0).Json;
        var lines = layers.EnumerateArray().Select(static layer => layer.GetRawText()).Order(StringComparer.Ordinal).ToList();
        lines.Add((await _store.RunAsync("images", "--json")).Exits(0).Text);
        lines.Add(Tars.Digest((await _store.RunAsync("diff", "sealed")).Exits(0).Bytes));
        var manifest = (await _store.RunAsync("export", "app:1", $"oci:{_store[$"out-{lines.GetHashCode()}"]}")).Exits(0).Line;
        return string.Join('\n', lines.Append(manifest));
    }
}
