using System.Text;
using StorageActors.Linux;

namespace StorageActors.Drivers;

/// <summary>Files of one short line beside a layer's content.</summary>
internal static class SmallFile
{
    private const uint Mode = 0x1A4;   // 0644, as the peers write theirs

    /// <summary>The content; null when there is no such file.</summary>
    internal static string? TryRead(string path)
    {
        var errno = Libc.TryOpen(path, OpenFlags.NoFollow, 0, out var file);
        using (file)
        {
            if (errno is Errno.ENOENT or Errno.ENOTDIR) return null;
            if (errno != Errno.None) throw new LinuxException("open", path, errno);
            var buffer = new byte[Math.Max(Libc.FStat(file).Size, 128) + 1];
            return Encoding.UTF8.GetString(buffer.AsSpan(0, Libc.ReadFully(file, buffer)));
        }
    }

    /// <summary>Writes it in one piece: a reader sees the old content or the new one. Not synced.</summary>
    internal static void Write(string path, string content)
    {
        using var directory = Libc.OpenDirectory(Path.GetDirectoryName(path)!);
        var name = Encoding.UTF8.GetBytes(Path.GetFileName(path));
        byte[] temporary = [.. "."u8, .. name, .. ".new"u8];
        using (var file = Libc.OpenAt(directory, temporary, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Truncate | OpenFlags.NoFollow, Mode))
        {
            Libc.WriteAll(file, Encoding.UTF8.GetBytes(content));
            Libc.FChmod(file, Mode);
        }

        Libc.RenameAt2(directory, temporary, directory, name);
    }

    /// <summary>The same, and on disk when it returns.</summary>
    internal static void WriteDurably(string path, string content)
    {
        using var directory = Libc.OpenDirectory(Path.GetDirectoryName(path)!);
        AtomicFile.Replace(directory, Encoding.UTF8.GetBytes(Path.GetFileName(path)), Encoding.UTF8.GetBytes(content), Mode);
    }

    /// <summary>Deletes it; not there is success.</summary>
    internal static void TryDelete(string path)
    {
        var errno = Libc.TryUnlinkAt(Libc.CurrentDirectory, Encoding.UTF8.GetBytes(path));
        if (errno is not (Errno.None or Errno.ENOENT)) throw new LinuxException("unlink", path, errno);
    }
}
