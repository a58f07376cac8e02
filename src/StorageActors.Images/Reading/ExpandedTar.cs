using System.Text;
using Microsoft.Win32.SafeHandles;
using StorageActors.Linux;

namespace StorageActors.Images.Reading;

/// <summary>
/// The file that a compressed archive is expanded to, under a name, since an engine in another process may have to open it. It is locked for as long as its maker lives; whoever expands
/// the next one takes away what others of the same user left when they died.
/// </summary>
internal sealed class ExpandedTar : IDisposable
{
    private const string Prefix = "storage-actors-expanded-";
    private const int Digits = 32;
    private const uint Private = 0x180;   // 0600

    private readonly SafeFileHandle _file;

    private ExpandedTar(string path, SafeFileHandle file) => (Path, _file) = (path, file);

    internal string Path { get; }

    /// <summary>Makes an empty one.</summary>
    /// <param name="directory">Where; the system's directory for temporary files.</param>
    internal static ExpandedTar Make(string directory)
    {
        Sweep(directory);
        while (true)
        {
            var path = System.IO.Path.Combine(directory, $"{Prefix}{Guid.NewGuid():N}");
            var file = Libc.Open(path, OpenFlags.ReadWrite | OpenFlags.Create | OpenFlags.Exclusive | OpenFlags.NoFollow, Private);
            // One that is not locked yet looks to a sweep like one of the dead. Where nothing can be locked nobody sweeps.
            if (TryLock(file) != false && Libc.FStat(file).Links > 0) return new ExpandedTar(path, file);
            file.Dispose();
        }
    }

    internal void Write(ReadOnlySpan<byte> bytes) => Libc.WriteAll(_file, bytes);

    public void Dispose()
    {
        Libc.TryUnlinkAt(Libc.CurrentDirectory, Encoding.UTF8.GetBytes(Path));
        _file.Dispose();
    }

    /// <summary>Best effort: what is in nobody's way may stay.</summary>
    private static void Sweep(string directory)
    {
        try
        {
            foreach (var path in Directory.EnumerateFiles(directory, Prefix + "*").Where(IsOne)) SweepOne(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Whoever cannot look there cannot expand anything there either.
        }
    }

    /// <summary>Null on a file system that has no locks, as some of the network do.</summary>
    private static bool? TryLock(SafeFileHandle file)
    {
        try
        {
            return Libc.TryLockWhole(file, exclusive: true);
        }
        catch (LinuxException)
        {
            return null;
        }
    }

    private static bool IsOne(string path) =>
        System.IO.Path.GetFileName(path.AsSpan())[Prefix.Length..] is { Length: Digits } digits && !digits.ContainsAnyExcept("0123456789abcdef");

    private static void SweepOne(string path)
    {
        if (Libc.TryOpen(path, OpenFlags.ReadWrite | OpenFlags.NoFollow | OpenFlags.NonBlocking, 0, out var file) != Errno.None) return;
        using (file)
        {
            var status = Libc.FStat(file);
            if (status.IsRegular && status.UserId == Libc.GetEuid() && TryLock(file) == true) Libc.TryUnlinkAt(Libc.CurrentDirectory, Encoding.UTF8.GetBytes(path));
        }
    }
}
