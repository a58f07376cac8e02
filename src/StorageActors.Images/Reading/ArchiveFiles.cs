using System.Formats.Tar;
using StorageActors.Archive.Compression;
using StorageActors.Protocol;

namespace StorageActors.Images.Reading;

/// <summary>
/// The files of an image in a tar: one pass finds where each lies, and the engine then reads layers as parts of the archive. A compressed archive is
/// expanded to a temporary file first, which is deleted at the end.
/// </summary>
internal sealed class ArchiveFiles : IImageFiles
{
    private const int MaximumFiles = 100_000;
    private const int MaximumLinks = 40;

    private readonly Dictionary<string, (long Offset, long Length)> _files = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _links = new(StringComparer.Ordinal);
    private readonly string _tar;
    private readonly bool _temporary;

    private ArchiveFiles(string path, string tar) => (Path, _tar, _temporary) = (path, tar, !ReferenceEquals(path, tar));

    public string Path { get; }

    internal static ArchiveFiles Open(string path)
    {
        var files = new ArchiveFiles(path, Expand(path));
        try
        {
            files.Index();
            return files;
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or FormatException or ArgumentException) // A name may have any character.
        {
            files.Dispose();
            throw ImageFault.Bad(path, $"no readable tar archive: {e.Message}", e);
        }
        catch
        {
            files.Dispose();
            throw;
        }
    }

    public BlobSource? Find(string name)
    {
        // Older archives have a layer that two images share once, and links to it.
        for (var budget = MaximumLinks; _links.TryGetValue(name, out var target); name = target)
        {
            if (--budget == 0) return null;
        }

        return _files.TryGetValue(name, out var place) ? new BlobSource(_tar, place.Offset, place.Length) : null;
    }

    public void Dispose()
    {
        if (_temporary) File.Delete(_tar);
    }

    private static string Expand(string path)
    {
        using var file = OpenFile(path);
        var decoded = Decode(path, file);
        if (decoded.Compression == LayerCompression.None) return path;
        var temporary = System.IO.Path.GetTempFileName();
        try
        {
            using var stream = decoded.Stream;
            using var target = File.Create(temporary);
            stream.CopyTo(target, 1 << 20);
            return temporary;
        }
        catch (Exception e)
        {
            File.Delete(temporary);
            if (e is CompressedDataException) throw ImageFault.Bad(path, $"the compressed archive is damaged: {e.Message}", e);
            throw;
        }
    }

    private static (Stream Stream, LayerCompression Compression) Decode(string path, Stream file)
    {
        try
        {
            return Codec.OpenDecoder(file);
        }
        catch (CompressedDataException e)
        {
            throw ImageFault.Bad(path, $"no readable archive: {e.Message}", e);
        }
    }

    private static FileStream OpenFile(string path)
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1 << 16);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw ImageFault.Missing(path, "no such file");
        }
        catch (UnauthorizedAccessException e)
        {
            throw new StorageException(new StorageError(StorageErrorCode.Io, "read image", $"{path}: {e.Message}", path, "EACCES"), e);
        }
    }

    private void Index()
    {
        using var file = OpenFile(_tar);
        using var reader = new TarReader(file);
        while (reader.GetNextEntry() is { } entry)
        {
            if (_files.Count + _links.Count >= MaximumFiles) throw ImageFault.Bad(Path, $"more than {MaximumFiles} files in an image archive");
            var name = Clean(entry.Name);
            switch (entry.EntryType)
            {
                case TarEntryType.RegularFile or TarEntryType.V7RegularFile or TarEntryType.ContiguousFile:
                    _links.Remove(name);
                    _files[name] = (entry.DataOffset, entry.Length);
                    break;
                case TarEntryType.SymbolicLink:
                    _links[name] = Clean(System.IO.Path.GetFullPath(entry.LinkName, "/" + System.IO.Path.GetDirectoryName(name)));
                    break;
                case TarEntryType.HardLink:
                    _links[name] = Clean(entry.LinkName);
                    break;
            }
        }

        if (_files.Count == 0) throw ImageFault.Bad(Path, "the archive is empty or no tar");
    }

    private static string Clean(string name) => System.IO.Path.GetFullPath(name, "/").Trim('/');
}
