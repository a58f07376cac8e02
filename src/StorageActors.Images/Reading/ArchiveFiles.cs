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
    private readonly ExpandedTar? _expanded;

    private ArchiveFiles(string path, ExpandedTar? expanded) => (Path, _tar, _expanded) = (path, expanded?.Path ?? path, expanded);

    public string Path { get; }

    /// <summary>Opens an archive; expanding a compressed one may take long.</summary>
    /// <param name="path">The file.</param>
    /// <param name="limits">How far a compressed one may unfold; asked for if it is one.</param>
    /// <param name="stop">Gives up expanding.</param>
    internal static async Task<ArchiveFiles> OpenAsync(string path, Func<Task<ExpansionLimits>> limits, CancellationToken stop)
    {
        var files = new ArchiveFiles(path, IsCompressed(path) ? Expand(path, await limits().ConfigureAwait(false), stop) : null);
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

    public void Dispose() => _expanded?.Dispose();

    /// <summary>
    /// Which kind of image an archive has; null when it has none. A compressed one is looked through without being expanded to a file, as far as it takes.
    /// </summary>
    internal static ImageFormat? Recognise(string path, CancellationToken stop)
    {
        try
        {
            using var file = OpenFile(path);
            var (stream, compression) = Decode(path, file);
            using (stream)
            {
                using var plain = compression == LayerCompression.None ? OpenFile(path) : null; // Content is passed over, not read.
                return Recognise(path, new TarReader(plain ?? stream, leaveOpen: true), stop);
            }
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or FormatException or ArgumentException or CompressedDataException)
        {
            throw ImageFault.Bad(path, $"no readable tar archive: {e.Message}", e);
        }
    }

    private static ImageFormat? Recognise(string path, TarReader reader, CancellationToken stop)
    {
        bool hasLayout = false, hasIndex = false, hasManifest = false;
        var count = 0;
        using (reader)
        {
            for (; count < MaximumFiles && !(hasLayout && hasIndex) && reader.GetNextEntry() is { } entry; count++)
            {
                stop.ThrowIfCancellationRequested();
                var name = Clean(entry.Name);
                hasLayout |= name == "oci-layout";
                hasIndex |= name == "index.json";
                hasManifest |= name == "manifest.json";
            }
        }

        if (count == 0) throw ImageFault.Bad(path, "the archive is empty or no tar");
        return hasLayout && hasIndex ? ImageFormat.OciArchive : hasManifest ? ImageFormat.DockerArchive : null;
    }

    private static bool IsCompressed(string path)
    {
        using var file = OpenFile(path);
        var (stream, compression) = Decode(path, file);
        stream.Dispose();
        return compression != LayerCompression.None;
    }

    private static ExpandedTar Expand(string path, ExpansionLimits limits, CancellationToken stop)
    {
        var expanded = ExpandedTar.Make(System.IO.Path.GetTempPath());
        var buffer = new byte[1 << 20];
        try
        {
            using var file = OpenFile(path);
            using var stream = Decode(path, file).Stream;
            for (var total = 0L; stream.Read(buffer) is > 0 and var count;)
            {
                stop.ThrowIfCancellationRequested();
                total += count;
                if (limits.IsBomb(total, file.Position)) throw ImageFault.Bad(path, limits.Describe(total, file.Position));
                expanded.Write(buffer.AsSpan(0, count));
            }

            return expanded;
        }
        catch (Exception e)
        {
            expanded.Dispose();
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
