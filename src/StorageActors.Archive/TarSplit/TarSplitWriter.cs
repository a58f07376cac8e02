using Microsoft.Win32.SafeHandles;
using StorageActors.Archive.Digests;
using StorageActors.Archive.Tar;

namespace StorageActors.Archive.TarSplit;

/// <summary>
/// Records an archive's structure while it is read, so that with the extracted files the same bytes can be made again. The file is the
/// one that containers/storage and moby write, and they can read it.
/// </summary>
/// <remarks>
/// A file line says "take the content of this file". Where the extracted tree will not give that content, the payload is kept in the
/// record itself, as raw bytes like any header, which every reader of the format puts back without asking: sparse entries, payloads of
/// entries that are no regular files, a name that came before (readers refuse a second line of one name), and what the extractor names
/// with <see cref="KeepPayload"/> and <see cref="KeepReplaced"/>. So any archive that is accepted can be given back.
/// </remarks>
internal sealed class TarSplitWriter : ITarRawSink, IDisposable
{
    private readonly Stream _output;
    private readonly Func<Stream> _createTemporary;
    private readonly TarSplitLines _lines;
    private readonly HashSet<ulong> _names = new(new NameHashComparer());
    private readonly HashSet<long> _unlisted = [];   // entries without a file line
    private readonly HashSet<long> _keptInPlace = [];
    private readonly ByteBuffer _name = new();
    private readonly ByteBuffer _cleaned = new();
    private ReplacedPayloads? _replaced;
    private long _index;
    private long _size;
    private ulong _crc;
    private bool _keep;
    private bool _listed;
    private bool _completed;

    /// <param name="output">Receives the file; not disposed. When a payload is kept late it must also be readable and seekable.</param>
    /// <param name="createTemporary">Makes an empty read-write file that vanishes with its stream; called only when a payload is kept late.</param>
    internal TarSplitWriter(Stream output, Func<Stream> createTemporary)
    {
        (_output, _createTemporary) = (output, createTemporary);
        _lines = new TarSplitLines(output);
    }

    /// <inheritdoc/>
    public void Raw(ReadOnlySpan<byte> bytes) => _lines.AppendSegment(bytes);

    /// <inheritdoc/>
    public void BeginEntry(TarEntry entry)
    {
        (_index, _size, _crc) = (entry.Index, entry.PackedSize, 0);
        _name.Set(entry.Name);
        _listed = _names.Add(EntryName.Hash(entry.Name, _cleaned));
        if (!_listed) _unlisted.Add(_index);
        _keep = false;
        if (!_listed || entry.IsSparse || entry.Type != TarEntryType.RegularFile) KeepPayload();
    }

    /// <summary>Keeps the payload of the current entry, because the extractor will not write it to a file of that name. To be called
    /// before the first piece of the payload is read.</summary>
    internal void KeepPayload()
    {
        if (_size == 0 || _keep) return;
        _keep = true;
        _keptInPlace.Add(_index);
    }

    /// <summary>Keeps the payload of an earlier regular file that a later entry is about to replace or remove. A hard link to the file
    /// does not save it: only its own name counts. Costs nothing when that payload is kept already.</summary>
    /// <param name="entryIndex"><see cref="TarEntry.Index"/> of the earlier entry.</param>
    /// <param name="content">The file as it was extracted; read from its beginning, not disposed.</param>
    internal void KeepReplaced(long entryIndex, SafeFileHandle content)
    {
        if (_keptInPlace.Contains(entryIndex)) return;
        _replaced ??= new ReplacedPayloads(_createTemporary());
        _replaced.Add(entryIndex, content);
    }

    /// <inheritdoc/>
    public void Payload(ReadOnlySpan<byte> bytes)
    {
        if (_keep) _lines.AppendSegment(bytes);
        else _crc = Crc64.Append(_crc, bytes);
    }

    /// <inheritdoc/>
    public void EndEntry()
    {
        // One segment for each entry's headers, also where no file line parts them: peers find headers at the start of segments.
        _lines.FlushSegment();
        if (_listed) _lines.WriteFile(_name.Span, _keep ? 0 : _size, _crc);
    }

    /// <inheritdoc/>
    public void EndEntries() => _lines.FlushSegment();

    /// <summary>Ends the record. Only after this is it whole; the caller syncs the file.</summary>
    internal void Complete()
    {
        if (_completed) return;
        _completed = true;
        _lines.Dispose();
        _replaced?.Rewrite(_output, _createTemporary, _unlisted);
    }

    /// <summary>Lets go of temporary files; an unfinished record stays unfinished.</summary>
    public void Dispose()
    {
        if (!_completed) _lines.Abandon();
        _completed = true;
        _replaced?.Dispose();
    }
}
