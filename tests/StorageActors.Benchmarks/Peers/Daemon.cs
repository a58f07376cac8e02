using System.Diagnostics;
using StorageActors.Benchmarks.Jobs;
using StorageActors.TestSupport;

namespace StorageActors.Benchmarks.Peers;

/// <summary>A daemon, private to this program: its data on the file system that is measured on; what else it keeps in a temporary directory.</summary>
internal sealed class Daemon : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Process _process;
    private readonly TempDirectory _home;

    private Daemon(Process process, TempDirectory home) => (_process, _home) = (process, home);

    internal int Pid => _process.Id;

    internal string Socket => _home["socket"];

    /// <summary>A node of ours with one door, started as users start it.</summary>
    /// <param name="root">Its store.</param>
    /// <param name="configuration">Its door, and what else is not as by default.</param>
    /// <param name="door">The door's socket, which is open last.</param>
    internal static Task<Daemon> StartNodeAsync(string root, string configuration, string door) => StartAsync(
        _ => OwnNode.Listens(door),
        home =>
        {
            File.WriteAllText(home["node.conf"], configuration);
            return [OwnCommand.Path, "--root", root, "--socket", home["socket"], "--config", home["node.conf"], "node"];
        });

    /// <param name="data">Where it keeps everything.</param>
    /// <param name="door">The socket of a snapshotter that its clients may name <c>ours</c>.</param>
    internal static Task<Daemon> StartContainerdAsync(string data, string? door = null) => StartAsync(static home => Command.TryRun("ctr", "-a", home["socket"], "version"), home =>
    {
        var plugin = door is null ? "" : $"[proxy_plugins.ours]\n  type = \"snapshot\"\n  address = \"{door}\"\n";
        File.WriteAllText(home["config.toml"], "version = 2\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n" + plugin);
        return ["containerd", "--config", home["config.toml"], "--root", data, "--state", home["state"], "--address", home["socket"]];
    });

    /// <param name="data">Where it keeps everything.</param>
    /// <param name="driver">Its graph driver; for a plugin, the name of its socket in <c>/run/docker/plugins</c>.</param>
    internal static Task<Daemon> StartDockerAsync(string data, string driver = "overlay2") => StartAsync(static home => Command.TryRun("docker", "-H", "unix://" + home["socket"], "info"), home =>
    [
        "dockerd", "--experimental", "--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false", "--storage-driver", driver,
        "--data-root", data, "--exec-root", home["exec"], "--pidfile", home["pid"], "-H", "unix://" + home["socket"],
    ]);

    public void Dispose()
    {
        Command.TryRun("kill", "-TERM", $"{_process.Id}");
        if (!_process.WaitForExit(Patience)) _process.Kill(entireProcessTree: true);
        _process.Dispose();
        _home.Dispose();
    }

    /// <summary>Starts a program and waits until it answers.</summary>
    /// <param name="probe">Asks it.</param>
    /// <param name="command">Its command line, for a directory of its own.</param>
    internal static async Task<Daemon> StartAsync(Func<TempDirectory, CommandResult?> probe, Func<TempDirectory, string[]> command)
    {
        var home = new TempDirectory("/tmp");   // a socket's path may be 107 bytes long
        string[] line = command(home);
        var start = new ProcessStartInfo("bash") { ArgumentList = { "-c", $"exec \"$@\" >'{home["log"]}' 2>&1", "bash" } };
        foreach (var word in line) start.ArgumentList.Add(word);
        var daemon = new Daemon(Process.Start(start)!, home);
        var since = Stopwatch.GetTimestamp();
        while (probe(home) is not { ExitCode: 0 })
        {
            if (Stopwatch.GetElapsedTime(since) > Patience || daemon._process.HasExited)
            {
                var log = File.ReadAllText(home["log"]);
                daemon.Dispose();
                throw new InvalidOperationException($"{line[0]} does not answer: {log}");
            }

            await Task.Delay(100).ConfigureAwait(false);
        }

        return daemon;
    }
}
