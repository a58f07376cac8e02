using System.Globalization;
using StorageActors.Benchmarks.Inputs;
using StorageActors.TestSupport;

namespace StorageActors.Benchmarks.Peers;

/// <summary>A client's daemon with nothing in it, and the node behind it if its layers are to be ours; all their data in one directory.</summary>
internal sealed class LoadedClient : IDisposable
{
    private const string Image = "example.org/bench";

    private readonly ClientKind _kind;
    private readonly Backing _backing;
    private readonly TempDirectory _sockets = new("/tmp");   // a socket's path may be 107 bytes long
    private Daemon? _node;
    private Daemon? _daemon;

    private LoadedClient(ClientKind kind, Backing backing, string home) => (_kind, _backing, Home) = (kind, backing, home);

    /// <summary>What the client and the node keep.</summary>
    internal string Home { get; }

    internal IReadOnlyList<int> Processes => [_daemon!.Pid, .. _node is null ? Array.Empty<int>() : [_node.Pid]];

    /// <summary>dockerd knows a plugin by the name of its socket, which it looks for in one directory alone.</summary>
    private string Plugin => "bench-" + Path.GetFileName(_sockets.Path);

    private string Door => _kind == ClientKind.Docker ? $"/run/docker/plugins/{Plugin}.sock" : _sockets["door"];

    private string Snapshotter => _backing == Backing.Own ? _kind.Own : "ours";

    internal static async Task<LoadedClient> StartAsync(ClientKind kind, Backing backing, string home)
    {
        var started = new LoadedClient(kind, backing, home);
        try
        {
            await started.StartAsync().ConfigureAwait(false);
            return started;
        }
        catch
        {
            started.Dispose();
            throw;
        }
    }

    internal void Load(ImageInput image)
    {
        if (_kind == ClientKind.Docker) Command.Run("docker", "-H", "unix://" + _daemon!.Socket, "load", "-q", "-i", image.DockerArchive);
        else Ctr("images", "import", "--snapshotter", Snapshotter, "--base-name", Image, image.OciArchive);
    }

    /// <summary>What all of it takes on disk, without the blobs that containerd keeps as they came.</summary>
    internal (long Bytes, long Inodes) Measure() => (Total("--block-size=1"), Total("--inodes"));

    /// <summary>The image as the client shows it; empty where it shows none without running something.</summary>
    internal IReadOnlyList<string> ReadTree()
    {
        if (_kind == ClientKind.Docker) return [];
        var target = Directory.CreateDirectory(_sockets["tree"]).FullName;
        Ctr("images", "mount", "--snapshotter", Snapshotter, Image + ":latest", target);
        try
        {
            var lines = TreeSnapshot.Capture(target, showsXattr: static name => !name.StartsWith("trusted.overlay.", StringComparison.Ordinal)).Lines;
            // A tar without an entry for the root leaves it the time at which it was extracted.
            return [lines[0][..lines[0].IndexOf(" mtime=", StringComparison.Ordinal)], .. lines.Skip(1)];
        }
        finally
        {
            Ctr("images", "unmount", "--rm", "--snapshotter", Snapshotter, target);
        }
    }

    public void Dispose()
    {
        _daemon?.Dispose();
        _node?.Dispose();
        if (_kind == ClientKind.Docker) File.Delete(Door);
        _sockets.Dispose();
    }

    private async Task StartAsync()
    {
        if (_backing != Backing.Own)
        {
            var type = _kind == ClientKind.Docker ? "docker" : "containerd";
            _node = await Daemon.StartNodeAsync($"{Home}/store", $$"""
                storage-actors {
                  durability = {{(_backing == Backing.OursDurable ? "full" : "none")}}
                  doors.{{type}} { socket = "{{Door}}", exact-diffs = true }
                }
                """, Door).ConfigureAwait(false);
        }

        _daemon = _kind == ClientKind.Docker
            ? await Daemon.StartDockerAsync($"{Home}/client", _backing == Backing.Own ? _kind.Own : Plugin).ConfigureAwait(false)
            : await Daemon.StartContainerdAsync($"{Home}/client", _backing == Backing.Own ? null : Door).ConfigureAwait(false);
    }

    private void Ctr(params IEnumerable<string> arguments) => Command.Run("ctr", ["-a", _daemon!.Socket, .. arguments]);

    private long Total(string unit) =>
        long.Parse(Command.Run("du", "-s", "-x", unit, "--exclude=io.containerd.content.v1.content", Home).Split('\t')[0], CultureInfo.InvariantCulture);
}
