using System.Buffers.Binary;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace StorageActors.Node.Server;

/// <summary>Who is at the other end of a unix socket, as the kernel noted it at connect: the peer has no say in it.</summary>
/// <param name="Pid">The process.</param>
/// <param name="Uid">Its effective user.</param>
/// <param name="Gid">Its effective group.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct PeerCredentials(int Pid, uint Uid, uint Gid)
{
    private const int SolSocket = 1;
    private const int SoPeerCred = 17;

    /// <summary>Asks the kernel (SO_PEERCRED).</summary>
    internal static PeerCredentials Of(Socket socket)
    {
        Span<byte> credentials = stackalloc byte[12];   // struct ucred
        socket.GetRawSocketOption(SolSocket, SoPeerCred, credentials);
        return new(
            BinaryPrimitives.ReadInt32LittleEndian(credentials),
            BinaryPrimitives.ReadUInt32LittleEndian(credentials[4..]),
            BinaryPrimitives.ReadUInt32LittleEndian(credentials[8..]));
    }

    /// <summary>Whether the node serves this peer: root, or the user that the node runs as.</summary>
    internal bool MayUseNodeOf(uint nodeUid) => Uid == 0 || Uid == nodeUid;
}
