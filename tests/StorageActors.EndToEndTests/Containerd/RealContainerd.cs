using System.Diagnostics;
using StorageActors.EndToEndTests.Cli;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.EndToEndTests.Containerd;

/// <summary>
/// A containerd of its own directories and sockets, and a node that is its snapshotter <c>ours</c>; both are processes, both can be started again. Whatever
/// a test leaves running is ended by its id.
/// </summary>
internal sealed class RealContainerd : IAsyncDisposable
{
    private readonly CliStore _store = new();
    private readonly string _path = DebianPrograms.Containerd();
    private readonly List<string> _containers = [];
    private Process? _daemon;

    internal CliStore Store => _store;

    internal string this[string name] => _store[name];

    private string Socket => _store["containerd.sock"];

    private string Log => _store["containerd.log"];

    internal static async Task<RealContainerd> StartAsync()
    {
        var started = new RealContainerd();
        await File.WriteAllTextAsync(started._store["node.conf"], $$"""
            storage-actors.doors.containerd {
              socket = "{{started._store["door.sock"]}}"
              content = "{{started._store["root"]}}/io.containerd.content.v1.content"
            }
            """);
        await File.WriteAllTextAsync(started._store["containerd.toml"], $"""
            version = 2
            root = "{started._store["root"]}"
            state = "{started._store["state"]}"
            disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]
            [grpc]
              address = "{started.Socket}"
            [proxy_plugins.ours]
              type = "snapshot"
              address = "{started._store["door.sock"]}"
            """);
        try
        {
            await started.StartNodeAsync();
            started.StartDaemon();
            return started;
        }
        catch
        {
            await started.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs ctr and returns what it printed; fails with containerd's last words.</summary>
    internal string Ctr(params IEnumerable<string> arguments)
    {
        var result = TryCtr(arguments);
        Assert.True(result.ExitCode == 0, $"ctr {string.Join(' ', arguments)}: {result.Error} {result.Output}\n{string.Join('\n', LastWords())}");
        return result.Output;
    }

    internal CommandResult TryCtr(params IEnumerable<string> arguments) =>
        Command.TryRun("env", [$"PATH={_path}:/usr/sbin:/usr/bin:/sbin:/bin", "ctr", "-a", Socket, "--connect-timeout", "300s", .. arguments])!;

    /// <summary>A name for a container that no other test on this machine has.</summary>
    internal string NewContainer()
    {
        var name = $"storage-actors-{Guid.NewGuid().ToString("N")[..12]}";
        _containers.Add(name);
        return name;
    }

    internal async Task RestartNodeAsync()
    {
        _store.Node.Signal("TERM");
        (await _store.Node.EndAsync()).Exits(0);
        await StartNodeAsync();
    }

    internal async Task RestartDaemonAsync()
    {
        await StopDaemonAsync("TERM");
        StartDaemon();
    }

    /// <summary>An image layout as one file, as ctr takes it.</summary>
    internal string Archive(string layout)
    {
        var archive = _store[$"{Path.GetFileName(layout)}.tar"];
        Command.Run("tar", "-C", layout, "-cf", archive, ".");
        return archive;
    }

    public async ValueTask DisposeAsync()
    {
        if (_daemon is { HasExited: false })
        {
            foreach (var container in _containers) TryCtr("task", "rm", "-f", container);
            await StopDaemonAsync("TERM");
        }

        _daemon?.Dispose();
        await _store.DisposeAsync();
    }

    private async Task StartNodeAsync()
    {
        var line = await _store.StartNodeAsync("--config", _store["node.conf"]);
        Assert.Contains("door containerd on ", line, StringComparison.Ordinal);
        Assert.Contains("ready on ", await _store.Node.Error.ReadLineAsync() ?? "", StringComparison.Ordinal);
    }

    private void StartDaemon()
    {
        File.Delete(Socket);   // The one of its predecessor would refuse ctr, which waits for a file alone.
        var start = new ProcessStartInfo("sh", ["-c", $"exec containerd -c '{_store["containerd.toml"]}' >>'{Log}' 2>&1"]) { UseShellExecute = false };
        start.Environment["PATH"] = $"{_path}:/usr/sbin:/usr/bin:/sbin:/bin";
        _daemon = Process.Start(start)!;
        // ctr waits for the socket's file, but is refused for good between its making and the moment in which somebody listens.
        using var late = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        while (!_daemon.HasExited && !late.IsCancellationRequested)
        {
            if (TryCtr("version").ExitCode == 0) return;
        }

        Ctr("version");
    }

    private async Task StopDaemonAsync(string signal)
    {
        Command.Run("kill", $"-{signal}", $"{_daemon!.Id}");
        using var late = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        await _daemon.WaitForExitAsync(late.Token);
        _daemon.Dispose();
    }

    private IEnumerable<string> LastWords() => File.Exists(Log) ? File.ReadLines(Log).TakeLast(8) : [];
}
