using Microsoft.Win32.SafeHandles;
using StorageActors.Archive.Apply;
using StorageActors.Archive.Digests;
using StorageActors.Archive.Tar;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Archive.Diff;

/// <summary>
/// Writes what lies in a directory as entries of an archive: owner, mode, time in whole seconds, attributes, targets of links; a further name of a file that
/// was written already as a hard link. Whiteouts have no attributes at all, so that the same change always gives the same bytes.
/// </summary>
internal sealed class EntryWriter : IDisposable
{
    private readonly Sha256Hasher _hasher = new();
    private readonly TarWriter _tar;
    private readonly IWhiteoutFormat _format;
    private readonly IdMap _ids;
    private readonly Dictionary<(DeviceNumber FileSystem, ulong Inode), byte[]> _linked = [];
    private readonly IdSet _uids = new();
    private readonly IdSet _gids = new();
    private readonly ApplyWarnings _warnings = new();
    private readonly ByteBuffer _attributeName = new();
    private readonly ObservedStream? _observed;
    private long _entries;

    /// <param name="output">Receives the archive; not disposed.</param>
    /// <param name="format">How the directory marks what it hides.</param>
    /// <param name="ids">Which ids of the host those of the container are there.</param>
    internal EntryWriter(Stream output, IWhiteoutFormat format, IdMap ids) =>
        (_tar, _format, _ids, _observed) = (new TarWriter(output, _hasher), format, ids, output as ObservedStream);

    /// <summary>Writes something other than a directory's children; <paramref name="path"/> is empty for the root.</summary>
    /// <param name="directory">The directory that it is in; itself when <paramref name="name"/> is empty.</param>
    /// <param name="name">Its name there.</param>
    /// <param name="path">Its path in the layer.</param>
    /// <param name="status">Its attributes; a regular file's are taken again when it is open.</param>
    internal void Write(SafeFileHandle directory, ReadOnlySpan<byte> name, ReadOnlySpan<byte> path, in FileStatus status)
    {
        if (status.Type is FileType.Socket or FileType.Unknown)
        {
            _warnings.Add("a socket cannot be archived", PathText.Escape(path));
            return;
        }

        if (status.IsRegular) WriteFile(directory, name, path, mayHide: false);
        else if (!IsLeftOut(name, path) && !TryWriteLink(path, status)) WriteOther(directory, name, path, status);
    }

    /// <summary>
    /// Writes what a directory of a layer lists as a regular file: only when it is open its attributes are asked for, so that each file costs one call less. Then
    /// it may turn out to be a whiteout.
    /// </summary>
    internal void WriteListedFile(SafeFileHandle directory, ReadOnlySpan<byte> name, ReadOnlySpan<byte> path) => WriteFile(directory, name, path, mayHide: true);

    /// <summary>Hides a path of the layers below.</summary>
    internal void WriteWhiteout(ReadOnlySpan<byte> path)
    {
        var parent = LayerPath.Split(path, out var name);
        WriteMark(LayerPath.Join(parent, EntryRoles.WhiteoutOf(name)));
    }

    /// <summary>Hides all that the layers below have in a directory.</summary>
    internal void WriteOpaque(ReadOnlySpan<byte> directory) => WriteMark(LayerPath.Join(directory, EntryRoles.OpaqueMark));

    /// <summary>Ends the archive.</summary>
    internal TarSummary Finish()
    {
        _tar.Finish();
        return new TarSummary(
            Digest.FromBytes(_hasher.Finish()), _tar.Position, _entries, _uids.ToList(), _gids.ToList(), _warnings.ToList());
    }

    private void Count()
    {
        _entries++;
        _observed?.CountEntry();
    }

    public void Dispose()
    {
        _tar.Dispose();
        _hasher.Dispose();
    }

    private static TarTime TimeOf(in FileStatus status) => new(Math.Max(0, status.ModifyTime.Seconds));

    private void WriteFile(SafeFileHandle directory, ReadOnlySpan<byte> name, ReadOnlySpan<byte> path, bool mayHide)
    {
        using var file = Libc.OpenAt(directory, name, OpenFlags.NoFollow | OpenFlags.NonBlocking);
        var status = Libc.FStat(file);
        if (mayHide && _format.IsWhiteout(directory, name, status))
        {
            WriteWhiteout(path);
            return;
        }

        if (IsLeftOut(name, path) || TryWriteLink(path, status)) return;
        Add(new TarItem
        {
            Type = TarEntryType.RegularFile, Name = path, Mode = (int)status.Permissions,
            Size = status.Size, Mtime = TimeOf(status), Xattrs = Attributes(file, default, path),
        }, status);
        if (status.Size > 0) _tar.WritePayload(file);
    }

    private bool IsLeftOut(ReadOnlySpan<byte> name, ReadOnlySpan<byte> path)
    {
        if (!EntryRoles.IsReserved(name)) return false;
        _warnings.Add("a name that starts with .wh. would be taken for a whiteout and is left out", PathText.Escape(path));
        return true;
    }

    /// <summary>A further name of what was written already.</summary>
    private bool TryWriteLink(ReadOnlySpan<byte> path, in FileStatus status)
    {
        if (status.IsDirectory || status.Links <= 1 || _linked.TryAdd((status.FileSystem, status.Inode), path.ToArray())) return false;
        Add(new TarItem
        {
            Type = TarEntryType.HardLink, Name = path, LinkName = _linked[(status.FileSystem, status.Inode)], Mode = (int)status.Permissions,
            Mtime = TimeOf(status),
        }, status);
        return true;
    }

    private void WriteOther(SafeFileHandle directory, ReadOnlySpan<byte> name, ReadOnlySpan<byte> path, in FileStatus status)
    {
        var target = status.IsSymbolicLink ? Libc.ReadlinkAt(directory, name) : [];
        Add(new TarItem
        {
            Type = status.Type switch
            {
                FileType.Directory => TarEntryType.Directory,
                FileType.SymbolicLink => TarEntryType.SymbolicLink,
                FileType.CharacterDevice => TarEntryType.CharacterDevice,
                FileType.BlockDevice => TarEntryType.BlockDevice,
                _ => TarEntryType.Fifo,
            },
            Name = path.IsEmpty ? "./"u8 : path, LinkName = target, Mode = (int)status.Permissions, Mtime = TimeOf(status),
            DeviceMajor = status.Device.Major, DeviceMinor = status.Device.Minor, Xattrs = Attributes(directory, name, path),
        }, status);
    }

    private void WriteMark(ReadOnlySpan<byte> path)
    {
        _tar.WriteHeader(new TarItem { Type = TarEntryType.RegularFile, Name = path });
        Count();
    }

    private void Add(in TarItem item, in FileStatus status)
    {
        var (user, group) = _ids.OwnerOf(status, item.Name);
        _tar.WriteHeader(item with { Uid = user, Gid = group });
        Count();
        _uids.Add(user);
        _gids.Add(group);
    }

    private TarXattr[] Attributes(SafeFileHandle file, ReadOnlySpan<byte> name, ReadOnlySpan<byte> path)
    {
        var stored = name.IsEmpty ? Libc.FListXattr(file) : Libc.ListXattrAt(file, name);
        if (stored.IsEmpty) return [];
        var kept = new List<TarXattr>();
        foreach (var attribute in stored)
        {
            if (_format.LiesElsewhere(attribute)) throw new ComparisonNeededException(PathText.Escape(path));
            var rule = _format.OnArchive(attribute, _attributeName);
            if (rule is not (XattrRule.Keep or XattrRule.Rename)) continue;
            var value = name.IsEmpty ? Libc.FGetXattr(file, attribute) : Libc.GetXattrAt(file, name, attribute);
            if (value is null) continue; // Removed meanwhile.
            value = _ids.ToContainer(attribute, value, path);
            var archived = rule == XattrRule.Rename ? _attributeName.Span.ToArray() : attribute.ToArray();
            kept.Add(new TarXattr(archived, attribute.SequenceEqual(XattrNamespaces.Capability) ? FileCapability.ToVersion2(value) : value));
        }

        return [.. kept];
    }
}
