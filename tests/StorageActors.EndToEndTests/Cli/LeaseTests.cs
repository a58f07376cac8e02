using System.Diagnostics;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.EndToEndTests.Cli;

/// <summary>Leases, with real owners: processes that live and die, a node that is killed, a machine that restarts.</summary>
public sealed class LeaseTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly CliStore _store = new();
    private readonly List<Process> _owners = [];

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (var owner in _owners) End(owner);
        await _store.DisposeAsync();
    }

    [SkippableFact]
    public async Task All_mounts_are_listed_and_by_force_gone_and_a_node_that_stops_says_which_stay()
    {
        RequiredTiers.SkipUnlessRoot();
        await _store.StartNodeAsync();
        foreach (var id in (string[])["one", "two"]) (await _store.RunAsync("create", "--id", id)).Exits(0);
        Assert.Empty((await _store.RunAsync("umount-all")).Exits(0).Text);
        var one = (await _store.RunAsync("mount", "one", "--lease", "mine")).Exits(0).Line;
        (await _store.RunAsync("mount", "two", "--lease", "other")).Exits(0);

        var held = await _store.RunAsync("umount-all");
        Assert.Matches("(?s)one +rw +mine.*two +rw +other", held.Exits(4).Text);
        Assert.Contains("--force", held.Error, StringComparison.Ordinal);
        Assert.Equal(2, (await _store.RunAsync("umount-all", "--json")).Exits(4).Json.GetProperty("stillMounted").GetArrayLength());

        _store.Node.Signal("TERM");
        Assert.Contains($"still mounted: {one} for mine", (await _store.Node.EndAsync()).Exits(0).Error, StringComparison.Ordinal);
        Assert.Empty((await _store.RunAsync("umount-all", "--force", "--reason", "done")).Exits(0).Text);
        Assert.DoesNotContain(_store.Root, await File.ReadAllTextAsync("/proc/self/mountinfo"), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task After_a_nodes_violent_end_living_owners_keep_their_leases_and_dead_ones_do_not()
    {
        RequiredTiers.SkipUnlessRoot();
        await _store.StartNodeAsync();
        await MakeAsync("alive", "dead", "named");
        var (living, dying) = (Owner(), Owner());
        (await _store.RunAsync("mount", "alive", "--lease", "one", "--owner", $"process:{living.Id}")).Exits(0);
        var path = (await _store.RunAsync("mount", "dead", "--lease", "two", "--owner", $"process:{dying.Id}")).Exits(0).Line;
        (await _store.RunAsync("mount", "named", "--lease", "three", "--owner", "container-42")).Exits(0);
        Assert.Equal(["one", "two", "three"], await LeasesAsync("alive", "dead", "named"));
        await _store.JournaledAsync();
        _store.Node.Signal("KILL");
        (await _store.Node.EndAsync()).Exits(137);
        End(dying);

        await _store.StartNodeAsync();

        Assert.Equal(["one", "", "three"], await LeasesAsync("alive", "dead", "named"));
        Assert.False(File.Exists(Path.Combine(path, "a")));
        Assert.Contains("container-42", (await _store.RunAsync("ps")).Exits(0).Text, StringComparison.Ordinal);
        foreach (var layer in new[] { "alive", "named" }) Assert.Equal("0", (await _store.RunAsync("umount", layer)).Exits(0).Line);
    }

    [SkippableFact]
    public async Task A_lease_ends_with_its_process_and_with_its_term()
    {
        RequiredTiers.SkipUnlessRoot();
        await _store.StartNodeAsync();
        await MakeAsync("owned", "short", "long");
        var owner = Owner();
        (await _store.RunAsync("mount", "owned", "--lease", "one", "--owner", $"process:{owner.Id}")).Exits(0);
        (await _store.RunAsync("mount", "short", "--lease", "two", "--for", "1s")).Exits(0);
        (await _store.RunAsync("mount", "long", "--lease", "three", "--for", "1h")).Exits(0);
        await UntilAsync(["one", "", "three"]);
        End(owner);
        await UntilAsync(["", "", "three"]);
        Assert.Equal("0", (await _store.RunAsync("umount", "long")).Exits(0).Line);

        async Task UntilAsync(string[] expected)
        {
            var since = Stopwatch.GetTimestamp();
            while (true)
            {
                var found = await LeasesAsync("owned", "short", "long");
                if (expected.SequenceEqual(found, StringComparer.Ordinal)) return;
                Assert.True(Stopwatch.GetElapsedTime(since) < Patience, string.Join(", ", found));
            }
        }
    }

    [SkippableFact]
    public async Task No_lease_outlives_a_restart_of_the_machine()
    {
        RequiredTiers.SkipUnlessRoot();
        Skip.If(Command.Find("unshare") is null, "needs unshare, to show a command another boot");
        await MakeAsync("box");
        var path = (await _store.RunAsync("mount", "box", "--lease", "one", "--owner", $"process:{Owner().Id}")).Exits(0).Line;
        Assert.Equal(["one"], await LeasesAsync("box"));
        await File.WriteAllTextAsync(_store["boot"], "11111111-2222-3333-4444-555555555555\n");

        // In a mount namespace of its own another boot's id lies over the machine's.
        Command.Run(
            "unshare", "--mount", "sh", "-ec", "mount --bind \"$1\" /proc/sys/kernel/random/boot_id; exec \"$2\" --root \"$3\" --json ps > \"$4\"",
            "sh", _store["boot"], CliProcess.Executable, _store.Root, _store["ps"]);
        Assert.Equal("[]", (await File.ReadAllTextAsync(_store["ps"])).Trim());
        Assert.Equal([""], await LeasesAsync("box"));
        Assert.False(File.Exists(Path.Combine(path, "a")));
    }

    [SkippableFact]
    public async Task A_lease_can_be_ended_by_force_though_its_mount_is_busy()
    {
        RequiredTiers.SkipUnlessRoot();
        await _store.StartNodeAsync();
        await MakeAsync("box");
        var path = (await _store.RunAsync("mount", "box", "--lease", "one", "--owner", "container-42")).Exits(0).Line;
        var busy = Owner(path);
        var refused = (await _store.RunAsync("umount", "box", "--lease", "one")).Exits(4);
        Assert.Contains($"{busy.Id}", refused.Error, StringComparison.Ordinal);
        Assert.Equal(["one"], await LeasesAsync("box"));
        Assert.Equal("0", (await _store.RunAsync("umount", "box", "--lease", "one", "--force", "--reason", "the host is drained")).Exits(0).Line);
        Assert.Equal([""], await LeasesAsync("box"));
        Assert.False(File.Exists(Path.Combine(path, "a")));
    }

    [SkippableFact]
    public async Task An_owner_that_is_not_there_is_no_owner()
    {
        RequiredTiers.SkipUnlessRoot();
        await MakeAsync("box");
        var gone = Owner();
        End(gone);
        Assert.Contains($"no process {gone.Id}", (await _store.RunAsync("mount", "box", "--owner", $"process:{gone.Id}")).Exits(2).Error, StringComparison.Ordinal);
        (await _store.RunAsync("mount", "box", "--owner", "external")).Exits(2);
        (await _store.RunAsync("mount", "box", "--for", "soon")).Exits(2);
        Assert.Equal([""], await LeasesAsync("box"));
    }

    [SkippableFact]
    public async Task A_node_follows_another_and_mounts_stay_where_they_are()
    {
        RequiredTiers.SkipUnlessRoot();
        await _store.StartNodeAsync();
        await MakeAsync("box");
        var path = (await _store.RunAsync("mount", "box", "--lease", "one")).Exits(0).Line;
        using var open = File.OpenRead(Path.Combine(path, "a"));
        var mount = MountId(path);
        using var next = _store.Start("node", "--wait", "300s");
        Assert.Contains("waiting", await next.Error.ReadLineAsync(), StringComparison.Ordinal);
        _store.Node.Signal("TERM");
        (await _store.Node.EndAsync()).Exits(0);
        Assert.Contains("ready on", await next.Error.ReadLineAsync(), StringComparison.Ordinal);

        Assert.Equal(mount, MountId(path));
        Assert.Equal(["one"], await LeasesAsync("box"));
        Assert.Equal('1', open.ReadByte());
        open.Dispose();
        Assert.Equal("0", (await _store.RunAsync("umount", "box", "--lease", "one")).Exits(0).Line);
        next.Signal("TERM");
        (await next.EndAsync()).Exits(0);
    }

    private async Task MakeAsync(params string[] boxes)
    {
        (await _store.FeedAsync(Tars.Of(("a", "1")), "apply", "--id", "base")).Exits(0);
        foreach (var box in boxes) (await _store.RunAsync("create", "--parent", "base", "--id", box)).Exits(0);
    }

    /// <summary>The lease on each of these layers; nothing for one that is not mounted. A mount whose lease has ended is there until it is unmounted.</summary>
    private async Task<string[]> LeasesAsync(params string[] layers)
    {
        var mounts = (await _store.RunAsync("ps", "--json")).Exits(0).Json.EnumerateArray().ToDictionary(
            static mount => mount.GetProperty("layer").GetString()!,
            static mount => mount.GetProperty("leases").EnumerateArray().Select(static lease => lease.GetProperty("lease").GetString()!).SingleOrDefault("mounted for nobody"));
        return [.. layers.Select(layer => mounts.GetValueOrDefault(layer, ""))];
    }

    private Process Owner(string directory = "/")
    {
        var process = Process.Start(new ProcessStartInfo("sleep", "3600") { WorkingDirectory = directory })!;
        _owners.Add(process);
        return process;
    }

    private static void End(Process process)
    {
        if (!process.HasExited) process.Kill();
        process.WaitForExit();
    }

    private static string MountId(string path) =>
        File.ReadLines("/proc/self/mountinfo").Select(static line => line.Split(' ')).Single(fields => fields[4] == path)[0];
}
