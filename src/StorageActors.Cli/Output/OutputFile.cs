using System.Text;
using StorageActors.Linux;

namespace StorageActors.Cli.Output;

/// <summary>A file of the user's that gets all of its content, or stays as it was.</summary>
internal static class OutputFile
{
    private const int MostLinks = 40; // As the kernel has it.

    /// <summary>
    /// Writes it, and returns when the disk has it. A file that was there keeps its mode, and its owner where that may be; a link stays, and what it leads to is written. A
    /// device or a pipe is written to as it is: a file in its place would take it from everybody.
    /// </summary>
    /// <exception cref="LinuxException">It cannot be written; what was there is there still.</exception>
    internal static void Write(string path, ReadOnlySpan<byte> content)
    {
        path = Path.GetFullPath(path);
        // The kernel follows first: it refuses links in directories that everybody may write to, and those that lead in circles.
        var errno = Libc.TryStat(path, out var there, AtFlags.None);
        if (errno is not (Errno.None or Errno.ENOENT)) throw new LinuxException("statx", path, errno);
        if (errno == Errno.None && !there.IsRegular)
        {
            using var file = Libc.Open(path, OpenFlags.WriteOnly);
            Libc.WriteAll(file, content);
            return;
        }

        path = TargetOf(path);
        using var directory = Libc.OpenDirectory(Path.GetDirectoryName(path)!);
        AtomicFile.Replace(directory, Encoding.UTF8.GetBytes(Path.GetFileName(path)), content, mode: null);
    }

    /// <summary>Where a link leads to, be there a file or not. Names are put together as they are: only the kernel knows what <c>..</c> after a link is.</summary>
    private static string TargetOf(string path)
    {
        for (var links = 0; links < MostLinks; links++)
        {
            if (Libc.TryReadlinkAt(Libc.CurrentDirectory, Encoding.UTF8.GetBytes(path), out var target) != Errno.None) return path;
            path = Path.Combine(Path.GetDirectoryName(path)!, Encoding.UTF8.GetString(target));
        }

        throw new LinuxException("readlink", path, Errno.ELOOP);
    }
}
