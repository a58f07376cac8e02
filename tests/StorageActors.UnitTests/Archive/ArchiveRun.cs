using Microsoft.Win32.SafeHandles;
using System.Text;
using StorageActors.Archive.Tar;
using StorageActors.Archive.TarSplit;
using StorageActors.Protocol;

namespace StorageActors.UnitTests.Archive;

/// <summary>What a reader told about an entry, kept.</summary>
internal sealed record SeenEntry(
    TarEntryType Type, string Name, string Link, int Mode, long Uid, long Gid, long Size, TarTime Mtime, TarTime? Atime, TarTime? Ctime,
    string User, string Group, long Major, long Minor, string Xattrs, string Extents, string Content);

/// <summary>Reads an archive as an extractor would, with its tar-split record, and puts it together again.</summary>
internal sealed class ArchiveRun : IPayloadSource, IDisposable
{
    private readonly Lazy<string> _directory = new(() => Directory.CreateTempSubdirectory("archive-run-").FullName);
    private readonly Dictionary<string, (string Path, long Index)> _files = [];
    private readonly MemoryStream _record = new();

    internal ArchiveRun(byte[] archive, int blockSize = 1 << 20, TarLimits? limits = null)
    {
        Archive = archive;
        using var split = new TarSplitWriter(_record, () => new MemoryStream());
        var reader = new TarReader(new ChunkedSource(archive, blockSize), limits, split);
        try
        {
            while (reader.MoveNext()) Take(reader, split);
        }
        catch
        {
            Dispose();
            throw;
        }

        split.Complete();
        Length = reader.Position;
    }

    /// <summary>Reads without a record: what is wrong throws here as well, and sooner.</summary>
    internal static void Scan(byte[] archive, int blockSize)
    {
        var reader = new TarReader(new ChunkedSource(archive, blockSize));
        while (reader.MoveNext()) { }
    }

    internal byte[] Archive { get; }

    internal List<SeenEntry> Entries { get; } = [];

    internal long Length { get; }

    internal byte[] Record => _record.ToArray();

    internal SeenEntry this[string name] => Entries.Single(entry => entry.Name == name);

    internal byte[] Assemble()
    {
        using var output = new MemoryStream();
        TarSplitAssembler.Assemble(new MemoryStream(Record), this, output, Digest.Of(Archive));
        return output.ToArray();
    }

    public SafeFileHandle Open(ReadOnlySpan<byte> name) => File.OpenHandle(_files[Clean(name)].Path);

    public void Dispose()
    {
        if (_directory.IsValueCreated) Directory.Delete(_directory.Value, recursive: true);
    }

    private static string Clean(ReadOnlySpan<byte> name) =>
        string.Join('/', Latin1(name).Split('/').Where(part => part is not ("" or ".")));

    private void Take(TarReader reader, TarSplitWriter split)
    {
        var entry = reader.Current;
        var content = new MemoryStream();
        var seen = See(entry);
        if (entry.Type == TarEntryType.RegularFile) Replace(entry, split);
        while (reader.ReadPiece(out var offset, out var data))
        {
            content.Position = offset;
            content.Write(data);
        }

        if (entry.IsSparse) content.SetLength(entry.Size);
        if (entry.Type == TarEntryType.RegularFile) File.WriteAllBytes(_files[Clean(entry.Name)].Path, content.ToArray());
        Entries.Add(seen with { Content = Latin1(content.ToArray()) });
    }

    private void Replace(TarEntry entry, TarSplitWriter split)
    {
        var name = Clean(entry.Name);
        if (_files.TryGetValue(name, out var earlier))
        {
            using var handle = File.OpenHandle(earlier.Path);
            split.KeepReplaced(earlier.Index, handle);
        }

        _files[name] = (Path.Combine(_directory.Value, entry.Index.ToString(null as IFormatProvider)), entry.Index);
    }

    private static SeenEntry See(TarEntry entry) => new(
        entry.Type, Latin1(entry.Name), Latin1(entry.LinkName), entry.Mode, entry.Uid, entry.Gid, entry.Size, entry.Mtime, entry.Atime,
        entry.Ctime, Latin1(entry.UserName), Latin1(entry.GroupName), entry.DeviceMajor, entry.DeviceMinor,
        string.Join(' ', entry.Xattrs.ToArray().Select(xattr => $"{Latin1(xattr.Name.Span)}={Latin1(xattr.Value.Span)}")),
        string.Join(' ', entry.Extents.ToArray().Select(extent => $"{extent.Offset}+{extent.Length}")),
        Content: "");

    private static string Latin1(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes);
}
