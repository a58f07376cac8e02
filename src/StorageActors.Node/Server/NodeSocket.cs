using System.Net.Sockets;
using Microsoft.Win32.SafeHandles;
using StorageActors.Linux;
using StorageActors.Node.Wire;
using StorageActors.Protocol;

namespace StorageActors.Node.Server;

/// <summary>The listening end: a socket file of mode 0600, in the place of one that a dead node left.</summary>
internal static class NodeSocket
{
    private const uint OwnerOnly = 0x180;   // 0600

    /// <summary>Binds. The caller listens, and disposes the socket, which removes its file.</summary>
    /// <param name="path">Where.</param>
    /// <param name="setting">What says so, for whoever has to choose another path.</param>
    /// <exception cref="StorageException">A node answers there, or the path holds something that is no socket.</exception>
    internal static Socket Bind(SocketPath path, string setting = "--socket")
    {
        RemoveStale(path, setting);
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            // The mode of the file is taken from the unbound socket: there is no moment in which others could connect.
            using (var descriptor = new SafeFileHandle(socket.SafeHandle.DangerousGetHandle(), ownsHandle: false))
            {
                Libc.FChmod(descriptor, OwnerOnly);
            }

            socket.Bind(path.EndPoint);
            return socket;
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw Refusal(StorageErrorCode.Io, path, $"cannot listen on {path.Path}: {e.Message}", e);
        }
    }

    private static void RemoveStale(SocketPath path, string setting)
    {
        if (Libc.TryStat(path.Path, out var status) != Errno.None) return;
        if (status.Type != FileType.Socket) throw Refusal(StorageErrorCode.AlreadyExists, path, $"{path.Path} exists and is no socket. Choose another path with {setting}.");
        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(path.EndPoint);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
        {
            File.Delete(path.Path);
            return;
        }
        catch (SocketException e)
        {
            throw Refusal(StorageErrorCode.Io, path, $"cannot tell whether a node serves {path.Path}: {e.Message}", e);
        }

        var peer = PeerCredentials.Of(probe);
        throw Refusal(StorageErrorCode.InUse, path, $"a node (process {peer.Pid}) serves {path.Path} already. Stop it, or choose another path with {setting}.");
    }

    private static StorageException Refusal(StorageErrorCode code, SocketPath path, string message, Exception? inner = null) =>
        new(new StorageError(code, "node", message, path.Path), inner);
}
