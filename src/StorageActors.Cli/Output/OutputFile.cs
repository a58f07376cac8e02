using System.Text;
using StorageActors.Linux;

namespace StorageActors.Cli.Output;

/// <summary>A file of the user's that gets all of its content, or stays as it was.</summary>
internal static class OutputFile
{
    /// <summary>
    /// Writes it, and returns when the disk has it. A device or a pipe is written to as it is: a file in its place would take it from everybody.
    /// </summary>
    /// <exception cref="LinuxException">It cannot be written; what was there is there still.</exception>
    internal static void Write(string path, ReadOnlySpan<byte> content)
    {
        path = Path.GetFullPath(path);
        if (Libc.TryStat(path, out var there, AtFlags.None) == Errno.None && !there.IsRegular)
        {
            using var file = Libc.Open(path, OpenFlags.WriteOnly);
            Libc.WriteAll(file, content);
            return;
        }

        using var directory = Libc.OpenDirectory(Path.GetDirectoryName(path)!);
        AtomicFile.Replace(directory, Encoding.UTF8.GetBytes(Path.GetFileName(path)), content, mode: null);
    }
}
