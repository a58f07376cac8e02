using System.Text;
using StorageActors.Linux;

namespace StorageActors.Store;

/// <summary>The names in one of the store's own directories, which are all the store's making: text.</summary>
internal static class DirectoryNames
{
    /// <summary>Whether something is true of each name, in whatever order; it is, when there is no such directory.</summary>
    internal static bool All(string directory, Predicate<string> condition)
    {
        var errno = Libc.TryOpen(directory, OpenFlags.Directory, 0, out var handle);
        using (handle)
        {
            if (errno == Errno.ENOENT) return true;
            if (errno != Errno.None) throw new LinuxException("open", directory, errno);
            using var reader = new DirectoryReader(handle);
            while (reader.TryRead(out var entry))
            {
                if (!condition(Encoding.UTF8.GetString(entry.Name))) return false;
            }

            return true;
        }
    }

    /// <summary>Sorted, so that what is done with them is done in the same order each time; none when there is no such directory.</summary>
    internal static IReadOnlyList<string> Of(string directory)
    {
        var errno = Libc.TryOpen(directory, OpenFlags.Directory, 0, out var handle);
        using (handle)
        {
            if (errno == Errno.ENOENT) return [];
            if (errno != Errno.None) throw new LinuxException("open", directory, errno);
            var names = new List<string>();
            using var reader = new DirectoryReader(handle);
            while (reader.TryRead(out var entry)) names.Add(Encoding.UTF8.GetString(entry.Name));
            names.Sort(StringComparer.Ordinal);
            return names;
        }
    }
}
