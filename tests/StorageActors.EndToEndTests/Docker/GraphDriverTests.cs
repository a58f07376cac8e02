using System.Net;
using StorageActors.EndToEndTests.Cli;
using StorageActors.Protocol;
using Xunit;

namespace StorageActors.EndToEndTests.Docker;

/// <summary>What dockerd may ask of its graph driver, and may ask twice.</summary>
public sealed class GraphDriverTests
{
    private static readonly byte[] Base = Tars.Of(("etc/", ""), ("etc/hosts", "127.0.0.1"), ("etc/gone", "x"), ("bin/", ""), ("bin/tool", "tool"));
    private static readonly byte[] Upper = Tars.Of(("etc/", ""), ("etc/.wh.gone", ""), ("etc/new", "12345"));

    [SkippableFact]
    public async Task A_daemon_introduces_itself_and_reads_what_the_driver_is()
    {
        await using var driver = await OpenGraphDriver.OpenAsync(exactDiffs: true);

        Assert.Equal("GraphDriver", (await driver.CallAsync("Plugin.Activate", "")).GetProperty("Implements")[0].GetString());
        await driver.CallAsync("GraphDriver.Init", """{"Home":"/var/lib/docker/ours","Opts":null,"UIDMaps":null,"GIDMaps":null}""");
        Assert.True((await driver.CallAsync("GraphDriver.Capabilities")).GetProperty("Capabilities").GetProperty("ReproducesExactDiffs").GetBoolean());
        var status = (await driver.CallAsync("GraphDriver.Status")).GetProperty("Status");
        Assert.All(status.EnumerateArray(), static pair => Assert.Equal(2, pair.GetArrayLength()));
        Assert.Contains(status.EnumerateArray(), static pair => pair[0].GetString() == "Layer driver" && pair[1].GetString() == "overlay");
        Assert.Contains("storage option", await driver.RefusedAsync("GraphDriver.Init", """{"Opts":["size=10G"]}"""), StringComparison.Ordinal);
        Assert.Contains("userns-remap", await driver.RefusedAsync("GraphDriver.Init", """{"UIDMaps":[{"container_id":0,"host_id":1,"size":1}]}"""), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_request_that_is_larger_than_any_is_refused_before_it_is_all_read()
    {
        await using var driver = await OpenGraphDriver.OpenAsync();
        var padding = new string(' ', 1024 * 1024);
        Assert.Contains("at most 1048576 bytes", await driver.RefusedAsync("GraphDriver.Exists", $$"""{"ID":"base"{{padding}}}"""), StringComparison.Ordinal);
        Assert.False((await driver.CallAsync("GraphDriver.Exists", OpenGraphDriver.Layer("base"))).GetProperty("Exists").GetBoolean());
    }

    [SkippableFact]
    public async Task Layers_are_filled_stacked_changed_and_come_out_again()
    {
        await using var driver = await OpenGraphDriver.OpenAsync();
        await driver.CreateAsync("base");
        Assert.Equal("127.0.0.1".Length + 1 + "tool".Length, await driver.ApplyAsync("base", "", Base));
        await driver.CreateAsync("upper", "base");
        Assert.Equal(5, await driver.ApplyAsync("upper", "base", Upper));
        await driver.CallAsync("GraphDriver.CreateReadWrite", OpenGraphDriver.Layer("box-init", "upper"));
        await driver.CallAsync("GraphDriver.CreateReadWrite", OpenGraphDriver.Layer("box", "box-init"));

        var directory = await driver.GetAsync("box");
        Assert.Equal(["hosts", "new"], Directory.GetFiles($"{directory}/etc").Select(Path.GetFileName).Order(StringComparer.Ordinal));
        File.WriteAllText($"{directory}/etc/hosts", "changed");
        File.Delete($"{directory}/bin/tool");
        var changes = (await driver.CallAsync("GraphDriver.Changes", OpenGraphDriver.Layer("box", "box-init"))).GetProperty("Changes");
        Assert.Equal(
            ["0 /bin", "2 /bin/tool", "0 /etc", "0 /etc/hosts"],
            changes.EnumerateArray().Select(static change => $"{change.GetProperty("Kind").GetInt32()} {change.GetProperty("Path").GetString()}"));
        Assert.Equal(7, (await driver.CallAsync("GraphDriver.DiffSize", OpenGraphDriver.Layer("box", "box-init"))).GetProperty("Size").GetInt64());
        var metadata = (await driver.CallAsync("GraphDriver.GetMetadata", OpenGraphDriver.Layer("box"))).GetProperty("Metadata");
        Assert.Equal(directory, metadata.GetProperty("MergedDir").GetString());
        Assert.True(Directory.Exists(metadata.GetProperty("UpperDir").GetString()));

        // As docker commit does it: the difference of a mounted layer becomes another.
        await driver.CreateAsync("committed", "upper");
        Assert.Equal(7, await driver.ApplyAsync("committed", "upper", await driver.DiffAsync("box", "box-init")));
        await driver.PutAsync("box");
        var seen = await driver.GetAsync("committed");
        Assert.Equal(("changed", false), (File.ReadAllText($"{seen}/etc/hosts"), File.Exists($"{seen}/bin/tool")));
        await driver.PutAsync("committed");

        Assert.Equal(Base, await driver.DiffAsync("base", ""));
        Assert.Equal(Upper, await driver.DiffAsync("upper", "base"));
        await driver.CreateAsync("whole");
        await driver.ApplyAsync("whole", "", await driver.DiffAsync("box", ""));
        var whole = await driver.GetAsync("whole");
        Assert.Equal(("changed", "12345", false), (File.ReadAllText($"{whole}/etc/hosts"), File.ReadAllText($"{whole}/etc/new"), File.Exists($"{whole}/etc/gone")));
        await driver.PutAsync("whole");

        foreach (var id in (string[])["whole", "committed", "box", "box-init", "upper", "base"]) await driver.RemoveAsync(id);
        Assert.Empty(await driver.Engine.Client.ListLayersAsync());
    }

    [SkippableFact]
    public async Task Calls_that_come_a_second_time_do_no_harm()
    {
        await using var driver = await OpenGraphDriver.OpenAsync();
        await driver.CreateAsync("base");
        await driver.CreateAsync("base");
        await driver.ApplyAsync("base", "", Base);
        await driver.CreateAsync("box", "base");
        await driver.RestartAsync();
        await driver.CreateAsync("box", "base");
        Assert.Contains("exists", await driver.RefusedAsync("GraphDriver.Create", OpenGraphDriver.Layer("base")), StringComparison.Ordinal);

        await driver.GetAsync("box");
        await driver.PutAsync("box");
        await driver.PutAsync("box");
        await driver.RemoveAsync("box");
        await driver.RemoveAsync("box");
        await driver.PutAsync("box");
        Assert.False((await driver.CallAsync("GraphDriver.Exists", OpenGraphDriver.Layer("box"))).GetProperty("Exists").GetBoolean());
        Assert.True((await driver.CallAsync("GraphDriver.Exists", OpenGraphDriver.Layer("base"))).GetProperty("Exists").GetBoolean());
    }

    [SkippableFact]
    public async Task A_mount_stays_until_each_who_got_it_put_it_also_across_a_restart()
    {
        await using var driver = await OpenGraphDriver.OpenAsync();
        await driver.CreateAsync("base");
        await driver.ApplyAsync("base", "", Base);
        await driver.CreateAsync("box", "base");
        var directory = await driver.GetAsync("box");
        Assert.Equal(directory, await driver.GetAsync("box"));
        Assert.All(Assert.Single(await driver.Engine.Client.ListMountsAsync()).Leases, static lease => Assert.StartsWith("docker:box/", lease.Lease.Value, StringComparison.Ordinal));
        File.WriteAllText($"{directory}/made", "1");

        await driver.RestartAsync();

        Assert.True(File.Exists($"{directory}/made"));
        await driver.PutAsync("box");
        Assert.True(File.Exists($"{directory}/made"));
        await driver.PutAsync("box");
        Assert.Empty(await driver.Engine.Client.ListMountsAsync());
        Assert.Equal(directory, await driver.GetAsync("box"));
        Assert.True(File.Exists($"{directory}/made"));
        await driver.CallAsync("GraphDriver.Cleanup");
        Assert.Empty(await driver.Engine.Client.ListMountsAsync());
    }

    [SkippableFact]
    public async Task What_a_daemon_that_died_held_more_than_once_the_next_one_puts_once()
    {
        await using var driver = await OpenGraphDriver.OpenAsync();
        await driver.CreateAsync("box");
        foreach (var _ in Enumerable.Range(0, 3)) await driver.GetAsync("box");
        await driver.Engine.Client.MountAsync(LayerId.Parse("box"), lease: LeaseId.Parse("somebody-else"));

        await driver.CallAsync("GraphDriver.Init", """{"Home":"/home"}""");
        await driver.PutAsync("box");

        var mount = Assert.Single(await driver.Engine.Client.ListMountsAsync());
        Assert.Equal("somebody-else", Assert.Single(mount.Leases).Lease.Value);
        Assert.Contains("somebody-else", await driver.RefusedAsync("GraphDriver.Remove", OpenGraphDriver.Layer("box")), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_layer_whose_filling_broke_off_is_not_filled_with_the_rest()
    {
        await using var driver = await OpenGraphDriver.OpenAsync();
        var big = Tars.Of(Enumerable.Range(0, 200).Select(static index => ($"file-{index}", new string('x', 8192))));
        await driver.CreateAsync("base");
        await driver.BreakOffApplyAsync("base", "", big[..(big.Length / 2)]);

        // Whoever comes later waits until the store has heard of the broken connection, and then finds the layer marked.
        Assert.Null(await driver.ApplyAsync("base", "", Base));
        await driver.RestartAsync();
        Assert.Null(await driver.ApplyAsync("base", "", Base));
        await driver.RemoveAsync("base");
        await driver.CreateAsync("base");
        Assert.NotNull(await driver.ApplyAsync("base", "", Base));
        Assert.Null(await driver.ApplyAsync("base", "", Base));
    }

    [SkippableFact]
    public async Task Layers_of_others_are_not_Dockers()
    {
        await using var driver = await OpenGraphDriver.OpenAsync();
        var theirs = await driver.Engine.Client.CreateAsync(null, new(LayerId.Parse("theirs")));

        Assert.False((await driver.CallAsync("GraphDriver.Exists", OpenGraphDriver.Layer("theirs"))).GetProperty("Exists").GetBoolean());
        await driver.RemoveAsync("theirs");
        await driver.RefusedAsync("GraphDriver.Get", OpenGraphDriver.Layer("theirs"));
        await driver.RefusedAsync("GraphDriver.Create", OpenGraphDriver.Layer("mine", "theirs"));
        await driver.RefusedAsync("GraphDriver.Create", OpenGraphDriver.Layer("theirs"));
        Assert.Equal(theirs.Id, Assert.Single(await driver.Engine.Client.ListLayersAsync()).Id);
    }

    [SkippableTheory]
    [InlineData("GraphDriver.Nothing", "{}", HttpStatusCode.NotFound)]
    [InlineData("", "{}", HttpStatusCode.NotFound)]
    [InlineData("GraphDriver.Get", "{", HttpStatusCode.BadRequest)]
    [InlineData("GraphDriver.Get", "null", HttpStatusCode.BadRequest)]
    [InlineData("GraphDriver.Get", "{\"ID\":7}", HttpStatusCode.BadRequest)]
    [InlineData("GraphDriver.Get", "{}", HttpStatusCode.InternalServerError)]
    [InlineData("GraphDriver.Get", "{\"ID\":\"../../etc\"}", HttpStatusCode.InternalServerError)]
    [InlineData("GraphDriver.Get", "{\"ID\":\"unknown\"}", HttpStatusCode.InternalServerError)]
    [InlineData("GraphDriver.Diff", "{\"ID\":\"unknown\"}", HttpStatusCode.InternalServerError)]
    [InlineData("GraphDriver.Create", "{\"ID\":\"a1\",\"Parent\":\"unknown\"}", HttpStatusCode.InternalServerError)]
    [InlineData("GraphDriver.Create", "{\"ID\":\"a1\",\"StorageOpt\":{\"size\":\"10G\"}}", HttpStatusCode.InternalServerError)]
    public async Task What_makes_no_sense_gets_an_error_that_Docker_can_read(string method, string body, HttpStatusCode status)
    {
        await using var driver = await OpenGraphDriver.OpenAsync();

        Assert.Equal(status, (await driver.TryAsync(method, body)).Status);
        Assert.NotEmpty(await driver.RefusedAsync(method, body));
        Assert.Empty(await driver.Engine.Client.ListLayersAsync());
    }

    [SkippableFact]
    public async Task Two_hundred_containers_from_eight_callers_leave_nothing()
    {
        await using var driver = await OpenGraphDriver.OpenAsync();
        await driver.CreateAsync("base");
        await driver.ApplyAsync("base", "", Base);

        await Parallel.ForEachAsync(Enumerable.Range(0, 200), new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (index, _) =>
        {
            var (init, box) = ($"box{index}-init", $"box{index}");
            await driver.CallAsync("GraphDriver.CreateReadWrite", OpenGraphDriver.Layer(init, "base"));
            await driver.GetAsync(init);
            await driver.PutAsync(init);
            await driver.CallAsync("GraphDriver.CreateReadWrite", OpenGraphDriver.Layer(box, init));
            File.WriteAllText($"{await driver.GetAsync(box)}/mine", box);
            await driver.PutAsync(box);
            await driver.RemoveAsync(box);
            await driver.RemoveAsync(init);
        });

        Assert.Equal("base", Assert.Single(await driver.Engine.Client.ListLayersAsync()).Id.Value);
        Assert.Empty(await driver.Engine.Client.ListMountsAsync());
    }
}
