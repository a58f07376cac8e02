using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;
using StorageActors.Archive.Tar;
using StorageActors.Linux;

namespace StorageActors.Archive.Apply;

/// <summary>
/// The files of aufs's pseudo-link directory, which old archives carry: no part of the layer, but its hard links may name them. Kept beside the layer's content
/// while it is extracted.
/// </summary>
internal sealed class AufsLinks(SafeFileHandle layerDirectory) : IDisposable
{
    private static ReadOnlySpan<byte> HomeName => ".aufs-links"u8;

    private readonly Dictionary<byte[], byte[]> _files = new(ByteStringComparer.Instance);   // path in the archive: name at home
    private SafeFileHandle? _home;

    /// <summary>Where a file of the pseudo-link directory goes; a second one of that name replaces the first.</summary>
    internal (SafeFileHandle Directory, byte[] Name) Add(ReadOnlySpan<byte> path)
    {
        if (_home is null)
        {
            DirectoryTree.Remove(layerDirectory, HomeName);
            Libc.MkdirAt(layerDirectory, HomeName, 0x1c0);
            _home = Libc.OpenDirectoryAt(layerDirectory, HomeName);
        }

        if (_files.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(path, out var name)) DirectoryTree.Remove(_home, name);
        else _files[path.ToArray()] = name = Encoding.ASCII.GetBytes(_files.Count.ToString(CultureInfo.InvariantCulture));
        return (_home, name);
    }

    /// <summary>The file that a hard link names; false when it is none of these.</summary>
    internal bool TryFind(ReadOnlySpan<byte> path, out SafeFileHandle directory, out byte[] name)
    {
        directory = _home ?? Libc.NoFile;
        return _files.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(path, out name!);
    }

    public void Dispose()
    {
        if (_home is null) return;
        _home.Dispose();
        DirectoryTree.Remove(layerDirectory, HomeName);
    }
}
