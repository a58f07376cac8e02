using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.EndToEndTests.Cli;

/// <summary>The command on a terminal, as `script` gives it one: it draws there what it does not draw for programs.</summary>
public sealed class TerminalTests : IAsyncLifetime
{
    private const string HideCursor = "\e[?25l";
    private const string ShowCursor = "\e[?25h";
    private readonly CliStore _store = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _store.DisposeAsync();

    [SkippableFact]
    public void An_import_draws_bars_and_takes_them_away()
    {
        RequiredTiers.SkipUnlessRoot();
        var (shown, layout) = Import(8);
        // An import may be over before anything of it was heard: a larger one is not.
        foreach (var megabytes in new[] { 64, 256, 512 })
        {
            if (!shown.Contains(HideCursor, StringComparison.Ordinal)) (shown, layout) = Import(megabytes);
        }

        Assert.Contains(HideCursor, shown, StringComparison.Ordinal);
        Assert.True(shown.LastIndexOf(ShowCursor, StringComparison.Ordinal) > shown.LastIndexOf(HideCursor, StringComparison.Ordinal), shown);
        Assert.EndsWith(layout.ImageId, shown.TrimEnd(), StringComparison.Ordinal);
        Assert.DoesNotContain("error", shown, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", shown, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void Exports_diffs_and_commits_end_with_their_results_whether_they_were_quick_enough_to_draw_nothing_or_not()
    {
        RequiredTiers.SkipUnlessRoot();
        var layout = Import(8).Layout;
        Assert.EndsWith(layout.Manifest, OnTerminal("export", layout.ImageId, $"oci:{_store["out"]}:v1").TrimEnd(), StringComparison.Ordinal);
        Assert.EndsWith(layout.Manifest, OnTerminal("export", layout.ImageId, $"oci-archive:{_store["out.tar"]}").TrimEnd(), StringComparison.Ordinal);
        OnTerminal("create", "--id", "box", "--image", layout.ImageId);
        Assert.EndsWith("box", OnTerminal("commit", "box").TrimEnd(), StringComparison.Ordinal);
        Assert.Matches("sha256:[0-9a-f]{64}$", OnTerminal("diff", "box", "-o", _store["diff.tar"]).TrimEnd());
    }

    [SkippableFact]
    public void Work_without_progress_draws_nothing()
    {
        RequiredTiers.SkipUnlessRoot();
        Assert.DoesNotContain("\e[?", OnTerminal("create", "--id", "box"), StringComparison.Ordinal);
        Assert.Contains("box", OnTerminal("layers"), StringComparison.Ordinal);
    }

    private (string Shown, OciLayout Layout) Import(int megabytes)
    {
        var (below, above) = (Tars.Large(megabytes), Tars.Of(("etc/motd", "hello")));
        var layout = OciLayout.Write(_store[$"image-{megabytes}"], Tars.Gzip(below), below, Tars.Gzip(above), above);
        return (OnTerminal("import", $"oci:{layout.Path}:v1"), layout);
    }

    private string OnTerminal(params string[] arguments)
    {
        string[] command = [CliProcess.Executable, "--root", _store.Root, .. arguments];
        var quoted = string.Join(' ', command.Select(static word => $"'{word}'"));
        var run = Command.TryRun("sh", "-c", "exec script -qec \"$1\" /dev/null </dev/null", "sh", quoted)!;
        Assert.True(run.ExitCode == 0, $"exit {run.ExitCode}: {run.Output}{run.Error}");
        return run.Output;
    }
}
