using System.Net.Sockets;
using StorageActors.Benchmarks.Jobs;
using StorageActors.TestSupport;

namespace StorageActors.Benchmarks.Peers;

/// <summary>A node of ours in a process of its own, with our command as its client: what others do with a daemon.</summary>
internal sealed class OwnNode : IDisposable
{
    private readonly Daemon _daemon;
    private readonly string _root;

    private OwnNode(Daemon daemon, string root) => (_daemon, _root) = (daemon, root);

    internal int Pid => _daemon.Pid;

    internal static async Task<OwnNode> StartAsync(string root) => new(
        await Daemon.StartAsync(_ => Listens(Path.Combine(root, "node.sock")), _ => [OwnCommand.Path, "--root", root, "node"]).ConfigureAwait(false), root);

    /// <summary>Runs one command and returns what it printed.</summary>
    internal string Run(params IEnumerable<string> arguments) => Command.Run(OwnCommand.Path, ["--root", _root, .. arguments]).Trim();

    public void Dispose() => _daemon.Dispose();

    /// <summary>The command itself would start an engine where no node is yet.</summary>
    internal static CommandResult? Listens(string path)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
            return new CommandResult(0, "", "");
        }
        catch (SocketException)
        {
            return null;
        }
    }
}
