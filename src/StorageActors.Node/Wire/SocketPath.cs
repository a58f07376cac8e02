using System.Net.Sockets;
using System.Text;
using Microsoft.Win32.SafeHandles;
using StorageActors.Linux;

namespace StorageActors.Node.Wire;

/// <summary>
/// The end point of a unix socket whose path may be longer than the 107 bytes that fit into <c>sockaddr_un</c>: such a one is reached
/// through a descriptor of its directory, which stays open until this is disposed.
/// </summary>
internal sealed class SocketPath : IDisposable
{
    private const int Longest = 107;
    private readonly SafeFileHandle? _directory;

    /// <summary>Prepares an end point.</summary>
    /// <exception cref="LinuxException">The directory of a long path cannot be opened.</exception>
    internal SocketPath(string path)
    {
        Path = path;
        var reach = path;
        if (Encoding.UTF8.GetByteCount(path) > Longest)
        {
            _directory = Libc.Open(System.IO.Path.GetDirectoryName(path)!, OpenFlags.Path | OpenFlags.Directory);
            using var pin = new HandlePin(_directory);
            reach = $"/proc/self/fd/{pin.Descriptor}/{System.IO.Path.GetFileName(path)}";
        }

        EndPoint = new UnixDomainSocketEndPoint(reach);
    }

    /// <summary>The path as it was given.</summary>
    internal string Path { get; }

    /// <summary>For bind and connect, while this is not disposed.</summary>
    internal UnixDomainSocketEndPoint EndPoint { get; }

    /// <inheritdoc/>
    public void Dispose() => _directory?.Dispose();
}
