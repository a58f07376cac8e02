using System.Security.Cryptography;
using System.Text;
using Microsoft.Win32.SafeHandles;
using StorageActors.Linux;

namespace StorageActors.Drivers.Probing;

/// <summary>
/// A directory for trying things out, among a store's stagings; their directory is made if it is not there yet. It is locked as they are, so an engine that starts
/// meanwhile leaves it alone, and sweeps it away if this process dies. Gone with all in it on disposal.
/// </summary>
internal sealed class ProbeScratch : IDisposable
{
    private const uint OwnerOnly = 0x1C0;   // 0700
    private const int MaximumRounds = 1000;

    private readonly SafeFileHandle _root;
    private readonly SafeFileHandle _lock;
    private readonly byte[] _name;

    /// <param name="root">The store's root.</param>
    internal ProbeScratch(string root)
    {
        _root = Libc.OpenDirectory(root);
        try
        {
            var errno = Libc.TryMkdirAt(_root, "staging"u8, OwnerOnly);
            if (errno is not (Errno.None or Errno.EEXIST)) throw Libc.Failure("mkdirat", _root, "staging"u8, errno);
            (_name, _lock) = MakeLocked();
        }
        catch
        {
            _root.Dispose();
            throw;
        }

        Path = $"{root}/{Encoding.ASCII.GetString(_name)}";
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
        try
        {
            DirectoryTree.Remove(_root, _name);
        }
        finally
        {
            Libc.UnlockWhole(_lock); // A program that is being started may have a copy of the descriptor.
            _lock.Dispose();
            _root.Dispose();
        }
    }

    /// <summary>A sweeper takes a directory whose lock nobody has yet for stale: then there is to be another one.</summary>
    private (byte[] Name, SafeFileHandle Lock) MakeLocked()
    {
        for (var round = 0; round < MaximumRounds; round++)
        {
            var name = Encoding.ASCII.GetBytes($"staging/probe-{RandomNumberGenerator.GetHexString(16, lowercase: true)}");
            Libc.MkdirAt(_root, name, OwnerOnly);
            if (TryLock([.. name, .. "/lock"u8]) is { } held) return (name, held);
        }

        throw Libc.Failure("mkdirat", _root, "staging"u8, Errno.EAGAIN, detail: $"{MaximumRounds} directories were swept away while they were made");
    }

    private SafeFileHandle? TryLock(ReadOnlySpan<byte> path)
    {
        var errno = Libc.TryOpenAt(_root, path, OpenFlags.ReadWrite | OpenFlags.Create | OpenFlags.Exclusive | OpenFlags.NoFollow, 0x180, out var file);
        if (errno is not (Errno.None or Errno.ENOENT or Errno.EEXIST)) throw Libc.Failure("openat", _root, path, errno);
        if (errno == Errno.None && Libc.TryLockWhole(file, exclusive: true)
            && Libc.TryFStatAt(_root, path, out var named) == Errno.None && named.IsSameFile(Libc.FStat(file))) return file;
        file.Dispose();
        return null;
    }
}
