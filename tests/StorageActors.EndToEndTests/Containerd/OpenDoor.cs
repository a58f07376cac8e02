using Akka.Configuration;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using StorageActors.Containerd.Wire;
using StorageActors.Engine;
using StorageActors.Node.Doors;
using StorageActors.Protocol;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.EndToEndTests.Containerd;

/// <summary>A store with a door for containerd on a real socket, called as containerd calls it; when it is closed, the store must be at rest.</summary>
internal sealed class OpenDoor : IAsyncDisposable
{
    internal const string Snapshots = "/containerd.services.snapshots.v1.Snapshots/";
    internal const string Diff = "/containerd.services.diff.v1.Diff/";
    private readonly TempDirectory _directory = new();
    private NodeDoors _doors = null!;
    private string _driver = "overlay";

    internal StorageEngine Engine { get; private set; } = null!;

    internal string Root => _directory["store"];

    internal string Socket => _directory["door.sock"];

    /// <summary>What the door takes for containerd's content store.</summary>
    internal string Content => _directory["content"];

    internal string this[string name] => _directory[name];

    internal GrpcTestClient Client { get; private set; } = null!;

    internal static async Task<OpenDoor> OpenAsync(string driver = "overlay")
    {
        RequiredTiers.SkipUnlessRoot();
        var door = new OpenDoor { _driver = driver };
        Directory.CreateDirectory(Path.Combine(door.Content, "blobs", "sha256"));
        await door.StartAsync();
        return door;
    }

    /// <summary>A new engine and a new door on the same store.</summary>
    internal async Task RestartAsync()
    {
        await StopAsync();
        await StartAsync();
    }

    /// <summary>Calls a method of the snapshotter and expects it to answer.</summary>
    internal async Task<TAnswer> CallAsync<TAnswer>(string method, IMessage request)
        where TAnswer : IMessage<TAnswer>, new()
    {
        var answer = await Client.CallAsync(PathOf(method), request.ToByteArray());
        Assert.True(answer.Status == 0, $"{method}: {answer.Status} {answer.Message}");
        var message = new TAnswer();
        message.MergeFrom(Assert.Single(answer.Messages));
        return message;
    }

    /// <summary>Calls a method and returns the status.</summary>
    internal async Task<int> StatusAsync(string method, IMessage request) => (await Client.CallAsync(PathOf(method), request.ToByteArray())).Status ?? -1;

    internal async Task<IReadOnlyList<Mount>> PrepareAsync(string key, string parent = "", params (string Key, string Value)[] labels) =>
        (await CallAsync<MountsResponse>("Prepare", Make(key, parent, labels))).Mounts;

    internal async Task<IReadOnlyList<Mount>> ViewAsync(string key, string parent = "") => (await CallAsync<MountsResponse>("View", Make(key, parent))).Mounts;

    internal Task CommitAsync(string key, string name, string parent = "", params (string Key, string Value)[] labels) =>
        CallAsync<Empty>("Commit", Commit(key, name, parent, labels));

    internal Task RemoveAsync(string key) => CallAsync<Empty>("Remove", Key(key));

    internal async Task<SnapshotInfo> StatAsync(string key) => (await CallAsync<SnapshotInfoResponse>("Stat", Key(key))).Info;

    internal async Task<IReadOnlyList<SnapshotInfo>> ListAsync(params string[] filters)
    {
        var answer = await Client.CallAsync(PathOf("List"), new ListSnapshotsRequest { Filters = { filters } }.ToByteArray());
        Assert.True(answer.Status == 0, answer.Message);
        return [.. answer.Messages.SelectMany(static message => ListSnapshotsResponse.Parser.ParseFrom(message).Info)];
    }

    /// <summary>What the store has counted, once it is as expected: a call is counted after its answer.</summary>
    internal async Task<StoreProtocol.Statistics> StatisticsAsync(Func<StoreProtocol.Statistics, bool> isThere)
    {
        using var late = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (true)
        {
            var found = await Engine.Client.Channel.AskAsync<StoreProtocol.Statistics>(new StoreProtocol.GetStatistics());
            if (isThere(found)) return found;
            await Task.Delay(10, late.Token);
        }
    }

    internal static MakeSnapshotRequest Make(string key, string parent = "", params (string Key, string Value)[] labels)
    {
        var request = new MakeSnapshotRequest { Snapshotter = "ours", Key = key, Parent = parent };
        foreach (var (label, value) in labels) request.Labels.Add(label, value);
        return request;
    }

    internal static CommitSnapshotRequest Commit(string key, string name, string parent = "", params (string Key, string Value)[] labels)
    {
        var request = new CommitSnapshotRequest { Snapshotter = "ours", Key = key, Name = name, Parent = parent };
        foreach (var (label, value) in labels) request.Labels.Add(label, value);
        return request;
    }

    internal static SnapshotRequest Key(string key) => new() { Snapshotter = "ours", Key = key };

    /// <summary>The directory that a client writes to.</summary>
    internal static string UpperOf(IReadOnlyList<Mount> mounts) => mounts.Single().Type == "bind" ? mounts.Single().Source : mounts.Single().Options.Single(static option => option.StartsWith("upperdir=", StringComparison.Ordinal))[9..];

    /// <summary>Does with the mounts what containerd does, shows the tree, and takes them away again.</summary>
    internal T Mounted<T>(IReadOnlyList<Mount> mounts, Func<string, T> look)
    {
        var target = Directory.CreateDirectory(_directory["mnt"]).FullName;
        var mount = mounts.Single();
        if (mount.Type == "bind") Command.Run("mount", "--bind", "-o", mount.Options.Contains("ro") ? "ro" : "rw", mount.Source, target);
        else Command.Run("mount", "-t", mount.Type, mount.Source, target, "-o", string.Join(',', mount.Options));
        try
        {
            return look(target);
        }
        finally
        {
            TempDirectory.Unmount(target);
        }
    }

    public async ValueTask DisposeAsync()
    {
        var staged = await StoresInProcess.StagedAsync(Root);
        await StopAsync();
        _directory.Dispose();
        Assert.Empty(staged);
    }

    private static string PathOf(string method) => method.StartsWith('/') ? method : Snapshots + method;

    private async Task StartAsync()
    {
        Engine = await StorageEngine.StartAsync(ConfigurationFactory.ParseString($"storage-actors {{ root = \"{Root}\", driver = {_driver} }}\n{StoresInProcess.Patience}"));
        var settings = new DoorSettings("containerd", DoorType.Containerd, Socket, Content);
        _doors = await NodeDoors.OpenAsync([settings], Engine, static text => throw new InvalidOperationException(text), CancellationToken.None);
        Client = new GrpcTestClient(Socket);
    }

    private async Task StopAsync()
    {
        Client.Dispose();
        await _doors.DisposeAsync();
        await Engine.DisposeAsync();
    }
}
