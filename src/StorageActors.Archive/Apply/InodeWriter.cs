using Microsoft.Win32.SafeHandles;
using StorageActors.Archive.Tar;
using StorageActors.Linux;

namespace StorageActors.Archive.Apply;

/// <summary>
/// Makes inodes with the fewest system calls that give them exactly the attributes of their entries: no chown where the owner is right already, no chmod
/// where creation gave the mode.
/// </summary>
/// <remarks>
/// Order: create, content, owner (which clears set-id bits and capabilities), xattrs, set-id bits, times. Content before xattrs, since a write
/// drops capabilities.
/// </remarks>
internal sealed class InodeWriter
{
    private const OpenFlags NewFile = OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Exclusive | OpenFlags.NoFollow;
    private const uint SetIds = ModeBits.SetUserId | ModeBits.SetGroupId;

    private readonly ExtractTarget _target;
    private readonly XattrWriter _xattrs;
    private readonly ApplyWarnings _warnings;
    private readonly bool _exactModes;
    private readonly uint _user = Libc.GetEuid();
    private readonly uint _group = Libc.GetEgid();

    /// <summary>A write takes set-id bits off, but for the machine's root: that of a user namespace has no right to them here.</summary>
    private readonly bool _writesDropSetIds = Libc.GetEuid() != 0 || UserNamespace.IsOwn;

    /// <param name="target">Where.</param>
    /// <param name="xattrs">For attributes.</param>
    /// <param name="warnings">For devices that cannot be made.</param>
    /// <param name="exactModes">Whether this thread's umask is 0, so that modes come out as they are asked for.</param>
    internal InodeWriter(ExtractTarget target, XattrWriter xattrs, ApplyWarnings warnings, bool exactModes)
    {
        (_target, _xattrs, _warnings) = (target, xattrs, warnings);
        // In place, a directory of the layers below may hand its group or its ACL to what is made in it, and the root of a layer that is filled later its group; and with
        // a map nobody is who the archive says.
        _exactModes = exactModes && !target.Whiteouts.InPlace && target.Owners.Ids.IsHost() && (Libc.FStat(target.Root).Mode & ModeBits.SetGroupId) == 0;
    }

    /// <summary>Called when something of the layers below is in the way, in place; removes it.</summary>
    internal required Action<SafeFileHandle, byte[]> MakeRoom { get; init; }

    /// <summary>A new, empty regular file, open for writing.</summary>
    internal SafeFileHandle CreateFile(SafeFileHandle directory, ReadOnlySpan<byte> name, in EntryAttributes attributes)
    {
        // A set-id bit must not stand on a file that is not its owner's yet.
        var mode = NeedsChown(attributes) ? attributes.Mode & ~SetIds : attributes.Mode;
        var errno = Libc.TryOpenAt(directory, name, NewFile, mode, out var file);
        if (errno == Errno.EEXIST && _target.Whiteouts.InPlace)
        {
            MakeRoom(directory, name.ToArray());
            errno = Libc.TryOpenAt(directory, name, NewFile, mode, out file);
        }

        return errno == Errno.None ? file : throw Libc.Failure("openat", directory, name, errno, NewFile.ToText());
    }

    /// <summary>Whether another thread may complete a file: what is inherited or refused is this thread's matter.</summary>
    internal bool CanCompleteElsewhere(TarEntry entry) => !_target.Whiteouts.InPlace && entry.Xattrs.IsEmpty;

    /// <summary>Gives a file whose content is complete its attributes; on any thread where <see cref="CanCompleteElsewhere"/> and no entry is given.</summary>
    internal void CompleteFile(SafeFileHandle file, in EntryAttributes attributes, TarEntry? entry = null)
    {
        var chowns = NeedsChown(attributes);
        if (chowns) _target.Owners.Set(file, attributes.UserId, attributes.GroupId);
        if (_target.Whiteouts.InPlace) XattrWriter.DropInherited(file, default);
        if (entry is not null && !entry.Xattrs.IsEmpty) _xattrs.Set(file, default, entry);
        if (NeedsChmod(attributes, chowns)) Libc.FChmod(file, attributes.Mode);
        Libc.FUtimens(file, attributes.Access, attributes.Modify);
    }

    internal void MakeSymbolicLink(SafeFileHandle directory, ReadOnlySpan<byte> name, TarEntry entry, in EntryAttributes attributes)
    {
        var errno = Libc.TrySymlinkAt(entry.LinkName, directory, name);
        if (errno == Errno.EEXIST && _target.Whiteouts.InPlace)
        {
            MakeRoom(directory, name.ToArray());
            errno = Libc.TrySymlinkAt(entry.LinkName, directory, name);
        }

        if (errno != Errno.None) throw Libc.Failure("symlinkat", directory, name, errno);
        if (NeedsChown(attributes)) _target.Owners.Set(directory, name, attributes.UserId, attributes.GroupId);
        if (!entry.Xattrs.IsEmpty) _xattrs.Set(directory, name, entry);
        Libc.UtimensAt(directory, name, attributes.Access, attributes.Modify);
    }

    /// <summary>A device or fifo; false, with a warning, where the process may not make devices.</summary>
    internal bool MakeSpecial(SafeFileHandle directory, ReadOnlySpan<byte> name, TarEntry entry, in EntryAttributes attributes)
    {
        var type = entry.Type switch
        {
            TarEntryType.CharacterDevice => FileType.CharacterDevice,
            TarEntryType.BlockDevice => FileType.BlockDevice,
            _ => FileType.Fifo,
        };
        var device = type == FileType.Fifo ? default : new DeviceNumber((uint)entry.DeviceMajor, (uint)entry.DeviceMinor);
        var errno = Libc.TryMknodAt(directory, name, type, attributes.Mode & ModeBits.Permissions, device);
        if (errno == Errno.EEXIST && _target.Whiteouts.InPlace)
        {
            MakeRoom(directory, name.ToArray());
            errno = Libc.TryMknodAt(directory, name, type, attributes.Mode & ModeBits.Permissions, device);
        }

        if (errno == Errno.EPERM && type != FileType.Fifo)
        {
            _warnings.Add($"{ApplyWarnings.DeviceLeftOut}: this process may not make devices (EPERM)", PathText.Escape(entry.Name));
            return false;
        }

        if (errno != Errno.None) throw Libc.Failure("mknodat", directory, name, errno);
        var chowns = NeedsChown(attributes);
        if (chowns) _target.Owners.Set(directory, name, attributes.UserId, attributes.GroupId);
        if (!entry.Xattrs.IsEmpty) _xattrs.Set(directory, name, entry);
        if (NeedsChmod(attributes, chowns) || (attributes.Mode & ~ModeBits.Permissions) != 0) Libc.FChmodAt(directory, name, attributes.Mode);
        Libc.UtimensAt(directory, name, attributes.Access, attributes.Modify);
        return true;
    }

    /// <summary>Whether what this process makes does not belong to the entry's owner by itself.</summary>
    internal bool NeedsChown(in EntryAttributes attributes) =>
        !_exactModes || attributes.UserId != _user || attributes.GroupId != _group;

    /// <summary>Whether the mode given at creation is not the one the inode has now.</summary>
    internal bool NeedsChmod(in EntryAttributes attributes, bool chowned) =>
        !_exactModes || ((attributes.Mode & SetIds) != 0 && (chowned || _writesDropSetIds));
}
