using System.Net.Sockets;
using Google.Protobuf;
using StorageActors.Containerd.Wire;
using StorageActors.TestSupport;
using Xunit;
using static StorageActors.EndToEndTests.Containerd.OpenDoor;

namespace StorageActors.EndToEndTests.Containerd;

/// <summary>Many clients at once, and clients that do not keep to the rules.</summary>
public sealed class DoorTroubleTests
{
    [SkippableFact]
    public async Task Eight_clients_side_by_side_leave_nothing_behind()
    {
        const int clients = 8, rounds = 25;
        await using var door = await OpenAsync();
        await door.PrepareAsync("base");
        await door.CommitAsync("base", "layer");
        await Task.WhenAll(Enumerable.Range(0, clients).Select(async client =>
        {
            using var connection = new GrpcTestClient(door.Socket);
            for (var round = 0; round < rounds; round++)
            {
                var key = $"{client}/{round}";
                await OkAsync(connection, "Prepare", Make(key, round % 2 == 0 ? "layer" : ""));
                await OkAsync(connection, "Commit", Commit(key, "done " + key));
                await OkAsync(connection, "Remove", Key("done " + key));
            }
        }));
        Assert.Equal("layer", Assert.Single(await door.ListAsync()).Name);
        Assert.Single(await door.Engine.Client.ListLayersAsync());
        Assert.Empty(await door.Engine.Client.ListMountsAsync());
        Assert.Single(Directory.EnumerateDirectories(Path.Combine(door.Root, "overlay")), static path => Path.GetFileName(path) != "l");
        Assert.Single(Directory.EnumerateFileSystemEntries(Path.Combine(door.Root, "overlay", "l")));
    }

    [SkippableFact]
    public async Task One_key_is_made_once_however_many_want_it()
    {
        await using var door = await OpenAsync();
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => door.StatusAsync("Prepare", Make("key"))));
        Assert.Equal([0, .. Enumerable.Repeat(6, 7)], answers.Order());
        var commits = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => door.StatusAsync("Commit", Commit("key", "name"))));
        Assert.Equal(1, commits.Count(static status => status == 0));
        Assert.All(commits, static status => Assert.True(status is 0 or 5 or 6 or 9, $"{status}"));
        Assert.Single(await door.ListAsync());
    }

    [SkippableFact]
    public async Task Bad_input_gets_its_code_and_nothing_comes_of_it()
    {
        await using var door = await OpenAsync();
        var key = Make("key", "", ("label", "value")).ToByteArray();
        Assert.Equal(12, (await door.Client.CallAsync(Snapshots + "Destroy", key)).Status);
        Assert.Equal(12, (await door.Client.CallAsync("/containerd.services.images.v1.Images/List", [])).Status);
        Assert.Equal(13, (await door.Client.SendAsync(Snapshots + "Prepare", GrpcTestClient.Frame(key)[..^3])).Status);
        Assert.Equal(13, (await door.Client.SendAsync(Snapshots + "Prepare", [])).Status);
        Assert.Equal(8, (await door.Client.SendAsync(Snapshots + "Prepare", [0, 2, 0, 0, 0])).Status);
        Assert.Equal(8, (await door.Client.CallAsync(Snapshots + "Prepare", new byte[17 << 20])).Status);
        var broken = key.ToArray();
        broken[key.AsSpan().IndexOf("value"u8)] = 0xFF;
        Assert.Equal(13, (await door.Client.CallAsync(Snapshots + "Prepare", broken)).Status);
        Assert.Equal(3, await door.StatusAsync("Prepare", Make("key", "", ("large", new string('x', 100_000)))));
        Assert.Equal(3, await door.StatusAsync("Prepare", Make("key", "", ("no label", "x"))));
        Assert.Empty(await door.ListAsync());
        Assert.Empty(await door.Engine.Client.ListLayersAsync());
        await door.PrepareAsync("key");
    }

    [SkippableFact]
    public async Task Every_call_is_counted_by_its_method_with_how_it_ended_and_how_long_it_took()
    {
        await using var door = await OpenAsync();
        string[] methods = ["Prepare", "View", "Mounts", "Commit", "Remove", "Stat", "List", "Usage", "Cleanup"];
        foreach (var method in methods) await door.StatusAsync(method, Key(method));
        await door.StatusAsync("Update", new UpdateSnapshotRequest());
        await door.StatusAsync(Diff + "Apply", new ApplyRequest());
        await door.StatusAsync(Diff + "Diff", new DiffRequest());
        string[] expected =
        [
            "Apply InvalidArgument", "Cleanup Ok", "Commit NotFound", "Diff Unimplemented", "List Ok", "Mounts NotFound", "Prepare Ok", "Remove NotFound", "Stat NotFound",
            "Update InvalidArgument", "Usage NotFound", "View Ok",
        ];
        var statistics = await door.StatisticsAsync(found => found.Counters.Count(static counter => counter.Name.StartsWith("containerd ", StringComparison.Ordinal)) == expected.Length);
        Assert.Equal(
            expected.Select(static line => ("containerd " + line, 1L)),
            statistics.Counters.Where(static counter => counter.Name.StartsWith("containerd ", StringComparison.Ordinal)).Select(static counter => (counter.Name, counter.Value)).OrderBy(static one => one.Name, StringComparer.Ordinal));
        Assert.All(expected, line => Assert.Contains(statistics.Latencies, latency => latency.Name == $"containerd {line.Split(' ')[0]}" && latency is { Measure: "duration", Count: 1, LongestSeconds: > 0 }));
    }

    [SkippableFact]
    public async Task Clients_that_say_nothing_or_nonsense_or_vanish_are_in_nobodys_way()
    {
        await using var door = await OpenAsync();
        byte[][] words = [[], [0x16, 3, 1], "GET / HTTP/1.1\r\n\r\n"u8.ToArray(), "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray(), new byte[64 * 1024]];
        var silent = new List<Socket>();
        foreach (var word in words)
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            silent.Add(socket);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(door.Socket));
            if (word.Length > 0) await socket.SendAsync(word);
        }

        foreach (var status in Enumerable.Range(0, 20))
        {
            using var gone = new CancellationTokenSource();
            var call = door.Client.CallAsync(Snapshots + "Prepare", Make($"vanishing {status}").ToByteArray(), stop: gone.Token);
            await gone.CancelAsync();
            await ((Task)call).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await door.PrepareAsync("key");
        foreach (var socket in silent) socket.Dispose();
        await door.RestartAsync();   // What was begun has come to its end before that.
        foreach (var left in await door.ListAsync()) await door.RemoveAsync(left.Name);
        Assert.Empty(await door.Engine.Client.ListLayersAsync());
    }

    private static async Task OkAsync(GrpcTestClient client, string method, IMessage request)
    {
        var answer = await client.CallAsync(Snapshots + method, request.ToByteArray());
        Assert.True(answer.Status == 0, $"{method}: {answer.Status} {answer.Message}");
    }
}
