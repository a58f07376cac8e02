using System.Runtime.InteropServices;

namespace StorageActors.Archive.Tar;

/// <summary>The entry a <see cref="TarReader"/> stands on. One object is reused for all entries: every span and memory in it is
/// valid until the reader moves on.</summary>
internal sealed class TarEntry
{
    private readonly ByteBuffer _name = new();
    private readonly ByteBuffer _linkName = new();
    private readonly ByteBuffer _userName = new();
    private readonly ByteBuffer _groupName = new();
    private readonly List<TarXattr> _xattrs = [];
    private readonly List<TarExtent> _extents = [];

    /// <summary>Position among the entries of the archive, from 0.</summary>
    internal long Index { get; set; }

    /// <summary>Where the entry's first header block (extended ones included) begins in the archive.</summary>
    internal long Offset { get; set; }

    /// <summary>What the entry describes.</summary>
    internal TarEntryType Type { get; set; }

    /// <summary>The type flag as it stands in the header.</summary>
    internal byte TypeFlag { get; set; }

    /// <summary>The name as the archive has it, not cleaned.</summary>
    internal ReadOnlySpan<byte> Name => _name.Span;

    /// <summary>Target of a hard or symbolic link, not cleaned.</summary>
    internal ReadOnlySpan<byte> LinkName => _linkName.Span;

    /// <summary>Owner's name; layers go by <see cref="Uid"/>.</summary>
    internal ReadOnlySpan<byte> UserName => _userName.Span;

    /// <summary>Group's name; layers go by <see cref="Gid"/>.</summary>
    internal ReadOnlySpan<byte> GroupName => _groupName.Span;

    /// <summary>Permission bits with set-id and sticky bits (07777), without the file type.</summary>
    internal int Mode { get; set; }

    /// <summary>Owner; the consumer checks that it is a valid id.</summary>
    internal long Uid { get; set; }

    /// <summary>Group; the consumer checks that it is a valid id.</summary>
    internal long Gid { get; set; }

    /// <summary>Length of the file, for a sparse one with its holes.</summary>
    internal long Size { get; set; }

    /// <summary>Bytes of payload that follow in the archive. Less than <see cref="Size"/> for a sparse entry; possibly more than 0
    /// for an entry that is no regular file.</summary>
    internal long PackedSize { get; set; }

    /// <summary>Time of last change.</summary>
    internal TarTime Mtime { get; set; }

    /// <summary>Time of last access, if the archive has it.</summary>
    internal TarTime? Atime { get; set; }

    /// <summary>Time of last change of the inode, if the archive has it.</summary>
    internal TarTime? Ctime { get; set; }

    /// <summary>Major number of a device, else 0.</summary>
    internal long DeviceMajor { get; set; }

    /// <summary>Minor number of a device, else 0.</summary>
    internal long DeviceMinor { get; set; }

    /// <summary>Whether the payload is packed and <see cref="Extents"/> says where it goes.</summary>
    internal bool IsSparse { get; set; }

    /// <summary>Runs of data of a sparse entry: ascending, not overlapping, inside <see cref="Size"/>, together as long as
    /// <see cref="PackedSize"/>.</summary>
    internal ReadOnlySpan<TarExtent> Extents => CollectionsMarshal.AsSpan(_extents);

    /// <summary>Extended attributes; each name once.</summary>
    internal ReadOnlySpan<TarXattr> Xattrs => CollectionsMarshal.AsSpan(_xattrs);

    internal ByteBuffer NameBuffer => _name;

    internal ByteBuffer LinkNameBuffer => _linkName;

    internal ByteBuffer UserNameBuffer => _userName;

    internal ByteBuffer GroupNameBuffer => _groupName;

    internal List<TarXattr> XattrList => _xattrs;

    internal List<TarExtent> ExtentList => _extents;

    /// <summary>Forgets the previous entry.</summary>
    internal void Reset(long index, long offset)
    {
        (Index, Offset) = (index, offset);
        (Type, TypeFlag, Mode, Uid, Gid) = (TarEntryType.Unknown, 0, 0, 0, 0);
        (Size, PackedSize, Mtime, Atime, Ctime) = (0, 0, default, null, null);
        (DeviceMajor, DeviceMinor, IsSparse) = (0, 0, false);
        _name.Clear();
        _linkName.Clear();
        _userName.Clear();
        _groupName.Clear();
        _xattrs.Clear();
        _extents.Clear();
    }
}
