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

    /// <summary>A file of at least this many bytes may be given away.</summary>
    private const long Large = 16 << 20;

    private readonly CopyTeam _team;
    private readonly FileCopy _content;
    private readonly XattrCopier _xattrs;
    private readonly uint _user = Libc.GetEuid();
    private readonly uint _group = Libc.GetEgid();
    private readonly bool _exactModes;
    private DeviceNumber _fileSystem;
    private CopyRoute? _route;
    private long _files;
    private long _linked;
    private long _others;
    private long _bytes;
    private long _shared;

    internal InodeCopier(CopyTeam team, bool exactModes)
    {
        (_team, _exactModes) = (team, exactModes);
        _content = new FileCopy(team.Calls);
        _xattrs = new XattrCopier(team);
    }

    /// <summary>Sees to it that what is made in a directory inherits neither an ACL nor a group.</summary>
    internal static void MakePlain(SafeFileHandle directory)
    {
        XattrWriter.DropInherited(directory, default);
        Libc.FChmod(directory, 0x1C0);
    }

    /// <summary>Says which file system comes next; it changes only at the border of a subvolume.</summary>
    internal void Between(in FileStatus source, SafeFileHandle target)
    {
        if (_route is not null && source.FileSystem == _fileSystem) return;
        (_fileSystem, _route) = (source.FileSystem, CopyRoute.Between(source, Libc.FStat(target)));
    }

    /// <summary>Copies a regular file, or links it to the copy that there is.</summary>
    internal void CopyRegular(SafeFileHandle from, SafeFileHandle to, ReadOnlySpan<byte> name, ReadOnlySpan<byte> path)
    {
        var source = OpenSource(from, name);
        try
        {
            var status = Libc.FStat(source);
            if (!status.IsRegular) throw Libc.Failure("openat", from, name, Errno.ESTALE, detail: "it was replaced while it was being copied");
            if (MakeOrLink(status, to, name, path) is not { } target) return;
            if (status.Size >= Large && !_route!.MayShare && _team.WantsWork)
            {
                _team.Give(new CopyFile(path.ToArray(), source, target, status, _route));
                source = Libc.NoFile;   // another's now
                return;
            }

            using (target) Complete(source, target, status, _route!, path);
        }
        finally
        {
            source.Dispose();
        }
    }

    /// <summary>Content and attributes of a file that was made; its name is there, so its directory does not change any more.</summary>
    internal void Complete(CopyFile job) => Complete(job.Source, job.Target, job.Status, job.Route, job.Path);

    private void Complete(SafeFileHandle source, SafeFileHandle target, in FileStatus status, CopyRoute route, ReadOnlySpan<byte> path)
    {
        if (_content.Copy(source, status, target, route, _team.Stop) == CopyMethod.Shared) _shared++;
        if (NeedsChown(status)) _team.Owners.Set(target, status.UserId, status.GroupId);
        _xattrs.Copy(source, target, path);
        if (NeedsChmod(status)) Libc.FChmod(target, status.Permissions);
        Libc.FUtimens(target, status.AccessTime, status.ModifyTime);
        _files++;
        _bytes += status.Size;
    }

    /// <summary>A new, empty file, without set-id bits until the content is there, and the owner; null when it became a further name of one that is there.</summary>
    private SafeFileHandle? MakeOrLink(in FileStatus status, SafeFileHandle to, ReadOnlySpan<byte> name, ReadOnlySpan<byte> path)
    {
        if (status.Links < 2) return Make(status, to, name);
        lock (_team.Links) return TryLink(status, to, name, path) ? null : Make(status, to, name);
    }

    private static SafeFileHandle Make(in FileStatus status, SafeFileHandle to, ReadOnlySpan<byte> name)
    {
        var errno = Libc.TryOpenAt(to, name, NewFile, status.Permissions & ModeBits.Permissions, out var target);
        return errno == Errno.None ? target : throw Libc.Failure("openat", to, name, errno, NewFile.ToText());
    }

    /// <summary>Copies a symbolic link, device, fifo or socket.</summary>
    internal void CopyOther(SafeFileHandle from, SafeFileHandle to, ReadOnlySpan<byte> name, ReadOnlySpan<byte> path)
    {
        var status = Libc.FStatAt(from, name);
        if (status.Links < 2)
        {
            MakeOther(status, from, to, name, path);
            return;
        }

        lock (_team.Links)
        {
            if (!TryLink(status, to, name, path)) MakeOther(status, from, to, name, path);
        }
    }

    private void MakeOther(in FileStatus status, SafeFileHandle from, SafeFileHandle to, ReadOnlySpan<byte> name, ReadOnlySpan<byte> path)
    {
        if (status.IsSymbolicLink) Libc.SymlinkAt(Libc.ReadlinkAt(from, name), to, name);
        else if (!TryMakeNode(status, to, name, path)) return;

        if (NeedsChown(status)) _team.Owners.Set(to, name, status.UserId, status.GroupId);
        _xattrs.Copy(from, to, name, path);
        if (!status.IsSymbolicLink && NeedsChmod(status)) Libc.FChmodAt(to, name, status.Permissions);
        Libc.UtimensAt(to, name, status.AccessTime, status.ModifyTime);
        _others++;
    }

    /// <summary>Gives a directory its attributes, when all is in it.</summary>
    internal void CompleteDirectory(SafeFileHandle source, SafeFileHandle target, in FileStatus status, ReadOnlySpan<byte> path)
    {
        if (NeedsChown(status)) _team.Owners.Set(target, status.UserId, status.GroupId);
        _xattrs.Copy(source, target, path);
        Libc.FChmod(target, status.Permissions);
        Libc.FUtimens(target, status.AccessTime, status.ModifyTime);
    }

    internal CopyReport Report(long directories) => new(directories, _files, _linked, _others, _bytes, _shared, []);

    /// <summary>Reading a file must not change its time of access. Refused to whoever does not own it.</summary>
    private static SafeFileHandle OpenSource(SafeFileHandle directory, ReadOnlySpan<byte> name) =>
        Libc.TryOpenAt(directory, name, Existing | OpenFlags.NoAccessTime, 0, out var file) == Errno.None ? file : Libc.OpenAt(directory, name, Existing);

    private bool TryLink(in FileStatus status, SafeFileHandle to, ReadOnlySpan<byte> name, ReadOnlySpan<byte> path)
    {
        if (!_team.Links.TryLink(status, to, name, path)) return false;
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
            _team.Drop("a device is left out: this process may not make devices (EPERM)", path);
            return false;
        }

        return errno == Errno.None ? true : throw Libc.Failure("mknodat", to, name, errno);
    }

    private bool NeedsChown(in FileStatus status) => !_team.ExactOwners || status.UserId != _user || status.GroupId != _group;

    private bool NeedsChmod(in FileStatus status) => !_exactModes || (status.Permissions & ~ModeBits.Permissions) != 0;
}
