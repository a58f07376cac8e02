using System.Net.Sockets;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.EndToEndTests.Cli;

/// <summary>The standalone node as a process.</summary>
public sealed class NodeTests : IAsyncLifetime
{
    private readonly CliStore _store = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _store.DisposeAsync();

    [SkippableFact]
    public async Task A_second_owner_of_a_root_is_told_who_the_first_is()
    {
        RequiredTiers.SkipUnlessRoot();
        await _store.StartNodeAsync();
        var second = (await _store.RunAsync("node")).Exits(4);
        Assert.Matches($@"\Astorage-actors: node: .*process {_store.Node.Id}\b.*\.\n\z", second.Error);
        var elsewhere = (await _store.RunAsync("node", "--socket", _store["other.sock"])).Exits(4);
        Assert.Contains($"process {_store.Node.Id} ", elsewhere.Error, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task Sigterm_ends_a_node_with_0_and_external_mounts_stay_for_the_next()
    {
        RequiredTiers.SkipUnlessRoot();
        await _store.StartNodeAsync();
        (await _store.FeedAsync(Tars.Of(("a", "b")), "apply", "--id", "base")).Exits(0);
        (await _store.RunAsync("create", "--parent", "base", "--id", "box")).Exits(0);
        var path = (await _store.RunAsync("mount", "box", "--lease", "kept")).Exits(0).Line;
        _store.Node.Signal("TERM");
        (await _store.Node.EndAsync()).Exits(0);
        Assert.False(File.Exists(Path.Combine(_store.Root, "node.sock")));
        Assert.Equal("b", await File.ReadAllTextAsync(Path.Combine(path, "a")));
        Assert.Equal("0", (await _store.RunAsync("umount", "box", "--lease", "kept")).Exits(0).Line);
    }

    [SkippableFact]
    public async Task A_socket_that_a_killed_node_left_is_in_nobodys_way()
    {
        RequiredTiers.SkipUnlessRoot();
        await _store.StartNodeAsync();
        _store.Node.Signal("KILL");
        (await _store.Node.EndAsync()).Exits(137);
        Assert.True(File.Exists(Path.Combine(_store.Root, "node.sock")));
        (await _store.RunAsync("layers")).Exits(0);
        Assert.StartsWith("storage-actors: ready on ", await _store.StartNodeAsync(), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task Another_user_is_refused()
    {
        RequiredTiers.SkipUnlessRoot();
        Skip.If(Command.Find("setpriv") is null, "needs setpriv, to become another user");
        await _store.StartNodeAsync();
        var socket = Path.Combine(_store.Root, "node.sock");
        var arguments = new[] { "--reuid=65534", "--clear-groups", CliProcess.Executable, "--socket", socket, "layers" };
        // As far as the file's modes go, everybody could connect: the kernel's word on the peer is what counts.
        foreach (var path in new[] { _store[""], _store.Root }) File.SetUnixFileMode(path.TrimEnd('/'), (UnixFileMode)0x1ED);
        File.SetUnixFileMode(socket, (UnixFileMode)0x1B6);
        var refused = Command.TryRun("setpriv", arguments)!;
        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains("uid 65534", refused.Error, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_command_without_fields_needs_no_body_and_no_word_about_it()
    {
        RequiredTiers.SkipUnlessRoot();
        await _store.StartNodeAsync();
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(Path.Combine(_store.Root, "node.sock")));
        await using var stream = new NetworkStream(socket);
        await stream.WriteAsync("POST /v1/catalog/ListLayers HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n"u8.ToArray());
        using var reader = new StreamReader(stream);
        Assert.StartsWith("HTTP/1.1 200 ", await reader.ReadToEndAsync(), StringComparison.Ordinal);
    }
}
