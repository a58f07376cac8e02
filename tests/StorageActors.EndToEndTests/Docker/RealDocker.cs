using System.Diagnostics;
using StorageActors.EndToEndTests.Cli;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.EndToEndTests.Docker;

/// <summary>
/// A dockerd of its own directories and socket, without a network, and a node that is its graph driver; both are processes, both can be started again. What a test
/// leaves running is ended by its id.
/// </summary>
internal sealed class RealDocker : IAsyncDisposable
{
    private readonly CliStore _store = new();
    private readonly string _path = DebianPrograms.Docker();
    private readonly string _name = $"storage-actors-{Guid.NewGuid().ToString("N")[..12]}";
    private Process? _daemon;

    internal CliStore Store => _store;

    internal string this[string name] => _store[name];

    /// <summary>Where dockerd looks for a plugin of this name; it looks nowhere else.</summary>
    private string Door => $"/run/docker/plugins/{_name}.sock";

    private string Socket => _store["docker.sock"];

    private string Log => _store["dockerd.log"];

    internal static async Task<RealDocker> StartAsync(bool exactDiffs)
    {
        var started = new RealDocker();
        await File.WriteAllTextAsync(started._store["node.conf"], $$"""
            storage-actors.doors.docker { socket = "{{started.Door}}", exact-diffs = {{(exactDiffs ? "true" : "false")}} }
            """);
        try
        {
            await started.StartNodeAsync();
            await started.StartDaemonAsync();
            return started;
        }
        catch
        {
            await started.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs docker and returns what it printed; fails with dockerd's last words.</summary>
    internal string Docker(params IEnumerable<string> arguments)
    {
        var result = TryDocker(arguments);
        Assert.True(result.ExitCode == 0, $"docker {string.Join(' ', arguments)}: {result.Error} {result.Output}\n{string.Join('\n', LastWords())}");
        return result.Output;
    }

    internal CommandResult TryDocker(params IEnumerable<string> arguments) =>
        Command.TryRun("env", [.. Environment(), "DOCKER_BUILDKIT=0", "timeout", "500", "docker", "-H", $"unix://{Socket}", .. arguments])!;

    /// <summary>Ends the node as a power failure of its process would, and starts another.</summary>
    internal async Task KillNodeAsync()
    {
        await _store.JournaledAsync();
        _store.Node.Signal("KILL");
        await _store.Node.EndAsync();
        await StartNodeAsync();
    }

    internal async Task RestartDaemonAsync()
    {
        await StopDaemonAsync();
        await StartDaemonAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_daemon is { HasExited: false }) await StopDaemonAsync();
        _daemon?.Dispose();
        await _store.DisposeAsync();
        File.Delete(Door);
    }

    private string[] Environment()
    {
        var root = _path.Split(':')[0];
        return [$"PATH={_path}:/usr/sbin:/usr/bin:/sbin:/bin", $"LD_LIBRARY_PATH={Path.GetDirectoryName(root)}/lib/x86_64-linux-gnu:{Path.GetDirectoryName(root)}/lib/aarch64-linux-gnu"];
    }

    private async Task StartNodeAsync()
    {
        var line = await _store.StartNodeAsync("--config", _store["node.conf"]);
        Assert.Contains("door docker on ", line, StringComparison.Ordinal);
        Assert.Contains("ready on ", await _store.Node.Error.ReadLineAsync() ?? "", StringComparison.Ordinal);
    }

    private async Task StartDaemonAsync()
    {
        var command = string.Join(' ', [
            "exec dockerd --experimental", "-s", _name, "--data-root", _store["data"], "--exec-root", _store["exec"], "--pidfile", _store["dockerd.pid"],
            "-H", $"unix://{Socket}", "--bridge=none --iptables=false --ip6tables=false --ip-forward=false --ip-masq=false", $">>'{Log}' 2>&1"]);
        _daemon = Process.Start(new ProcessStartInfo("env", [.. Environment(), "sh", "-c", command]) { UseShellExecute = false })!;
        using var late = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        while (TryDocker("version").ExitCode != 0)
        {
            Assert.False(_daemon.HasExited, string.Join('\n', LastWords()));
            await Task.Delay(200, late.Token);
        }
    }

    private async Task StopDaemonAsync()
    {
        Command.Run("kill", "-TERM", $"{_daemon!.Id}");
        using var late = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        await _daemon.WaitForExitAsync(late.Token);
        _daemon.Dispose();
    }

    private IEnumerable<string> LastWords() => File.Exists(Log) ? File.ReadLines(Log).TakeLast(8) : [];
}
