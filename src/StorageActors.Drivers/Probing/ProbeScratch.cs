using System.Security.Cryptography;
using System.Text;
using Microsoft.Win32.SafeHandles;
using StorageActors.Linux;

namespace StorageActors.Drivers.Probing;

/// <summary>A directory for trying things out, among a store's stagings, which sweep it away if this process dies; their directory is made if it is not there yet. Gone with all in it on disposal.</summary>
internal sealed class ProbeScratch : IDisposable
{
    private const uint OwnerOnly = 0x1C0;   // 0700

    private readonly SafeFileHandle _root;
    private readonly byte[] _name = Encoding.ASCII.GetBytes($"staging/probe-{RandomNumberGenerator.GetHexString(16, lowercase: true)}");

    /// <param name="root">The store's root.</param>
    internal ProbeScratch(string root)
    {
        _root = Libc.OpenDirectory(root);
        Path = $"{root}/{Encoding.ASCII.GetString(_name)}";
        try
        {
            var errno = Libc.TryMkdirAt(_root, "staging"u8, OwnerOnly);
            if (errno is not (Errno.None or Errno.EEXIST)) throw Libc.Failure("mkdirat", _root, "staging"u8, errno);
            Libc.MkdirAt(_root, _name, OwnerOnly);
        }
        catch
        {
            _root.Dispose();
            throw;
        }
    }

    /// <summary>Its absolute path.</summary>
    internal string Path { get; }

    /// <summary>Makes directories in it, each after the one that it lies in.</summary>
    internal void Make(params ReadOnlySpan<string> directories)
    {
        using var scratch = Libc.OpenDirectory(Path);
        foreach (var name in directories) Libc.MkdirAt(scratch, Encoding.ASCII.GetBytes(name), OwnerOnly);
    }

    public void Dispose()
    {
        using (_root) DirectoryTree.Remove(_root, _name);
    }
}
