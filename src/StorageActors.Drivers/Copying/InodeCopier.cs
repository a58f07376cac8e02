using Microsoft.Win32.SafeHandles;
using StorageActors.Archive.Apply;
using StorageActors.Linux;

namespace StorageActors.Drivers.Copying;

/// <summary>
/// Makes copies of inodes with the fewest calls that give them all their attributes: no chown where the owner is right already, no chmod where creation gave the mode.
/// </summary>
/// <remarks>
/// Order: create, content, owner (which clears set-id bits and capabilities), xattrs, mode, times. Content before xattrs, since a write drops capabilities.
/// </remarks>
internal sealed class InodeCopier
{
    private const OpenFlags Existing = OpenFlags.NoFollow | OpenFlags.NonBlocking;
    private const OpenFlags NewFile = OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Exclusive | OpenFlags.NoFollow;

    private readonly CancellationToken _stop;
    private readonly FileCopy _content;
    private readonly LinkMap _links;
    private readonly ApplyWarnings _dropped = new();
    private readonly XattrCopier _xattrs;
    private readonly uint _user = Libc.GetEuid();
    private readonly uint _group = Libc.GetEgid();
    private readonly bool _exactModes;
    private bool _exactOwners;
    private DeviceNumber _fileSystem;
    private CopyRoute? _route;
    private long _files;
    private long _linked;
    private long _others;
    private long _bytes;
    private long _shared;

    internal InodeCopier(SafeFileHandle root, bool exactModes, CopyCalls? calls, CancellationToken stop)
    {
        (_exactModes, _stop) = (exactModes, stop);
        _content = new FileCopy(calls);
        _links = new LinkMap(root);
        _xattrs = new XattrCopier(_dropped);
    }

    /// <summary>Sees to it that what is made in the target's root inherits neither an ACL nor a group.</summary>
    internal void Begin(SafeFileHandle target)
    {
        XattrWriter.DropInherited(target, default);
        Libc.FChmod(target, 0x1C0);
        // A mount option may hand on the directory's group as well: then it has one that is not ours.
        _exactOwners = Libc.FStat(target).GroupId == _group;
    }

    /// <summary>Says which file system comes next; it changes only at the border of a subvolume.</summary>
    internal void Between(in FileStatus source, SafeFileHandle target)
    {
        if (_route is not null && source.FileSystem == _fileSystem) return;
        (_fileSystem, _route) = (source.FileSystem, CopyRoute.Between(source, Libc.FStat(target)));
    }

    /// <summary>Copies a regular file, or links it to the copy that there is.</summary>
    internal void CopyFile(SafeFileHandle from, SafeFileHandle to, ReadOnlySpan<byte> name, ReadOnlySpan<byte> path)
    {
        using var source = OpenSource(from, name);
        var status = Libc.FStat(source);
        if (!status.IsRegular) throw Libc.Failure("openat", from, name, Errno.ESTALE, detail: "it was replaced while it was being copied");
        if (TryLink(status, to, name, path)) return;

        // Set-id bits only when the content is there, and the owner.
        var errno = Libc.TryOpenAt(to, name, NewFile, status.Permissions & ModeBits.Permissions, out var target);
        if (errno != Errno.None) throw Libc.Failure("openat", to, name, errno, NewFile.ToText());
        using (target)
        {
            if (_content.Copy(source, status, target, _route!, _stop) == CopyMethod.Shared) _shared++;
            if (NeedsChown(status)) Libc.FChown(target, status.UserId, status.GroupId);
            _xattrs.Copy(source, target, path);
            if (NeedsChmod(status)) Libc.FChmod(target, status.Permissions);
            Libc.FUtimens(target, status.AccessTime, status.ModifyTime);
        }

        _files++;
        _bytes += status.Size;
    }

    /// <summary>Copies a symbolic link, device, fifo or socket.</summary>
    internal void CopyOther(SafeFileHandle from, SafeFileHandle to, ReadOnlySpan<byte> name, ReadOnlySpan<byte> path)
    {
        var status = Libc.FStatAt(from, name);
        if (TryLink(status, to, name, path)) return;
        if (status.IsSymbolicLink) Libc.SymlinkAt(Libc.ReadlinkAt(from, name), to, name);
        else if (!TryMakeNode(status, to, name, path)) return;

        if (NeedsChown(status)) Libc.FChownAt(to, name, status.UserId, status.GroupId);
        _xattrs.Copy(from, to, name, path);
        if (!status.IsSymbolicLink && NeedsChmod(status)) Libc.FChmodAt(to, name, status.Permissions);
        Libc.UtimensAt(to, name, status.AccessTime, status.ModifyTime);
        _others++;
    }

    /// <summary>Gives a directory its attributes, when all is in it.</summary>
    internal void CompleteDirectory(SafeFileHandle source, SafeFileHandle target, in FileStatus status, ReadOnlySpan<byte> path)
    {
        if (NeedsChown(status)) Libc.FChown(target, status.UserId, status.GroupId);
        _xattrs.Copy(source, target, path);
        Libc.FChmod(target, status.Permissions);
        Libc.FUtimens(target, status.AccessTime, status.ModifyTime);
    }

    internal CopyReport Report(long directories) => new(directories, _files, _linked, _others, _bytes, _shared, _dropped.ToList());

    /// <summary>Reading a file must not change its time of access. Refused to whoever does not own it.</summary>
    private static SafeFileHandle OpenSource(SafeFileHandle directory, ReadOnlySpan<byte> name) =>
        Libc.TryOpenAt(directory, name, Existing | OpenFlags.NoAccessTime, 0, out var file) == Errno.None ? file : Libc.OpenAt(directory, name, Existing);

    private bool TryLink(in FileStatus status, SafeFileHandle to, ReadOnlySpan<byte> name, ReadOnlySpan<byte> path)
    {
        if (status.Links < 2 || !_links.TryLink(status, to, name, path)) return false;
        _linked++;
        return true;
    }

    private bool TryMakeNode(in FileStatus status, SafeFileHandle to, ReadOnlySpan<byte> name, ReadOnlySpan<byte> path)
    {
        if (status.Type is not (FileType.CharacterDevice or FileType.BlockDevice or FileType.Fifo or FileType.Socket))
            throw Libc.Failure("mknodat", to, name, Errno.EINVAL, detail: "its type is none that can be copied");
        var errno = Libc.TryMknodAt(to, name, status.Type, status.Permissions & ModeBits.Permissions, status.Device);
        if (errno == Errno.EPERM && status.Type is FileType.CharacterDevice or FileType.BlockDevice)
        {
            _dropped.Add("a device is left out: this process may not make devices (EPERM)", PathText.Escape(path));
            return false;
        }

        return errno == Errno.None ? true : throw Libc.Failure("mknodat", to, name, errno);
    }

    private bool NeedsChown(in FileStatus status) => !_exactOwners || status.UserId != _user || status.GroupId != _group;

    private bool NeedsChmod(in FileStatus status) => !_exactModes || (status.Permissions & ~ModeBits.Permissions) != 0;
}
