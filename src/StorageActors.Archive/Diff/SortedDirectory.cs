using Microsoft.Win32.SafeHandles;
using StorageActors.Archive.Apply;
using StorageActors.Linux;

namespace StorageActors.Archive.Diff;

/// <summary>The names in a directory, sorted by their bytes: the same tree gives the same archive.</summary>
internal static class SortedDirectory
{
    internal static List<byte[]> Read(SafeFileHandle directory)
    {
        var names = new List<byte[]>();
        using var reader = new DirectoryReader(directory);
        while (reader.TryRead(out var entry)) names.Add(entry.Name.ToArray());
        names.Sort(ByteStringComparer.Order);
        return names;
    }
}
