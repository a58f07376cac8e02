using System.Diagnostics;
using System.Net.Sockets;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.EndToEndTests.Cli;

/// <summary>Signals, readers that go away, and two at once: nothing is left behind, and nobody waits for ever.</summary>
public sealed class InterruptTests : IAsyncLifetime
{
    private readonly CliStore _store = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _store.DisposeAsync();

    [SkippableTheory]
    [InlineData("INT", 130, false)]
    [InlineData("TERM", 143, false)]
    [InlineData("INT", 130, true)]
    [InlineData("TERM", 143, true)]
    public async Task A_signal_during_apply_leaves_nothing(string signal, int exit, bool onNode)
    {
        RequiredTiers.SkipUnlessRoot();
        if (onNode) await _store.StartNodeAsync();
        using var apply = _store.Start("apply", "-", "--id", "half");
        var tar = Tars.Large(8);
        await apply.Input.WriteAsync(tar.AsMemory(0, tar.Length / 2));   // more than all buffers on the way hold: the extraction is under way
        await apply.Input.FlushAsync();
        apply.Signal(signal);
        var run = (await apply.EndAsync()).Exits(exit);
        Assert.EndsWith("storage-actors: apply: interrupted; nothing is left behind.\n", run.Error, StringComparison.Ordinal);
        Assert.Empty(run.Bytes);
        Assert.Empty((await _store.RunAsync("layers", "-q")).Exits(0).Lines);
        (await _store.RunAsync("check")).Exits(0);
        (await _store.RunAsync("gc")).Exits(0); // Which waits for what is deleted.
        Assert.Empty(_store.Leftovers());
    }

    [Theory]
    [InlineData("INT", 130)]
    [InlineData("TERM", 143)]
    public async Task A_signal_ends_the_waiting_for_a_node_that_does_not_answer(string signal, int exit)
    {
        using var late = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(_store["some.sock"]));
        listener.Listen();
        using var create = _store.Start("create", "--socket", _store["some.sock"]);
        using var node = await listener.AcceptAsync(late.Token);
        Assert.NotEqual(0, await node.ReceiveAsync(new byte[4096], late.Token));   // It has asked, and waits.
        create.Signal(signal);
        Assert.Contains("interrupted", (await create.EndAsync()).Exits(exit).Error, StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_client_that_is_killed_during_apply_leaves_nothing(bool onNode)
    {
        RequiredTiers.SkipUnlessRoot();
        if (onNode) await _store.StartNodeAsync();
        using (var apply = _store.Start("apply", "-", "--id", "half"))
        {
            var tar = Tars.Large(8);
            await apply.Input.WriteAsync(tar.AsMemory(0, tar.Length / 2));
            await apply.Input.FlushAsync();
            apply.Signal("KILL");
            (await apply.EndAsync()).Exits(137);
        }

        // The same id is free: the engine sweeps what the dead engine left; the node says so as soon as it has ended what its dead owner began.
        var since = Stopwatch.GetTimestamp();
        var again = await _store.FeedAsync(Tars.Of(("a", "b")), "apply", "--id", "half");
        while (onNode && again.Error.Contains("is being made already", StringComparison.Ordinal) && Stopwatch.GetElapsedTime(since) < TimeSpan.FromMinutes(1))
            again = await _store.FeedAsync(Tars.Of(("a", "b")), "apply", "--id", "half");
        again.Exits(0);
        (await _store.RunAsync("check")).Exits(0);
        (await _store.RunAsync("gc")).Exits(0); // Which waits for what is deleted.
        Assert.Empty(_store.Leftovers());
    }

    [SkippableTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_reader_of_a_diff_may_go_away(bool onNode)
    {
        RequiredTiers.SkipUnlessRoot();
        if (onNode) await _store.StartNodeAsync();
        (await _store.FeedAsync(Tars.Large(8), "apply", "--id", "big")).Exits(0);
        using var diff = _store.Start("diff", "big", "--quiet"); // Which says nothing of how far it is.
        var first = new byte[1000];
        await diff.Output.ReadExactlyAsync(first);
        diff.Output.Close();
        var error = await diff.Error.ReadToEndAsync();
        Assert.Matches(@"\Astorage-actors: diff: .*\(EPIPE\)\.\n\z", error);
        (await _store.RunAsync("check", "--full")).Exits(0);
    }

    [SkippableTheory]
    [InlineData("changes", "many")]
    [InlineData("changes", "many", "--json")]
    [InlineData("layers")]
    public async Task A_reader_of_a_list_may_go_away_when_it_has_seen_enough(params string[] verb)
    {
        RequiredTiers.SkipUnlessRoot();
        var files = Enumerable.Range(0, 2000).Select(static i => ($"a-name-to-fill-more-than-one-buffer-{i}", ""));
        (await _store.FeedAsync(Tars.Of(files), "apply", "--id", "many")).Exits(0);
        var run = await CliProcess.RunUnreadAsync(_store.Environment, verb);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
    }

    [SkippableFact]
    public async Task Two_verbs_at_once_take_turns()
    {
        RequiredTiers.SkipUnlessRoot();
        var both = await Task.WhenAll(
            _store.FeedAsync(Tars.Of(("a", "1")), "apply", "--id", "aa"),
            _store.FeedAsync(Tars.Of(("b", "2")), "apply", "--id", "bb"),
            _store.RunAsync("layers", "-q"));
        foreach (var run in both) run.Exits(0);
        Assert.Equal(["aa", "bb"], (await _store.RunAsync("layers", "-q")).Exits(0).Lines.Order());
    }
}
