using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Archive.Apply;

/// <summary>
/// Owners between a layer's directory, where they are those of the host, and its archive, where they are those of the container. An id without a counterpart is an
/// error, as it is for containers/storage (pkg/idtools, RawToContainer): an archive that says nobody instead would lose whose the file is.
/// </summary>
internal static class IdTranslation
{
    /// <summary>What the kernel shows for an id that a map lacks; fs.overflowuid is never changed in practice.</summary>
    private const uint Nobody = 65534;

    /// <summary>The container's owner of a file.</summary>
    /// <exception cref="UnmappedIdException">It has none.</exception>
    internal static (uint User, uint Group) OwnerOf(this IdMap ids, in FileStatus status, ReadOnlySpan<byte> path) => (
        ids.UserToContainer(status.UserId) ?? throw UnmappedIdException.OfHost("user", status.UserId, path, ids),
        ids.GroupToContainer(status.GroupId) ?? throw UnmappedIdException.OfHost("group", status.GroupId, path, ids));

    /// <summary>The host's owner for one of the container.</summary>
    /// <exception cref="UnmappedIdException">There is none.</exception>
    internal static (uint User, uint Group) ToHost(this IdMap ids, uint user, uint group) => (
        ids.UserToHost(user) ?? throw UnmappedIdException.OfContainer("user", user, ids),
        ids.GroupToHost(group) ?? throw UnmappedIdException.OfContainer("group", group, ids));

    /// <summary>A file's attributes as the container sees them; an owner that it does not know is nobody.</summary>
    internal static FileStatus Show(this IdMap ids, in FileStatus status) => ids.IsHost() ? status
        : status.WithOwner(ids.UserToContainer(status.UserId) ?? Nobody, ids.GroupToContainer(status.GroupId) ?? Nobody);

    /// <summary>An attribute's value as the container sees it: access control lists name users and groups.</summary>
    /// <exception cref="UnmappedIdException">It names one that the container does not have.</exception>
    internal static byte[] ToContainer(this IdMap ids, ReadOnlySpan<byte> attribute, byte[] value, ReadOnlySpan<byte> path)
    {
        if (ids.IsHost() || !PosixAcl.IsAcl(attribute)) return value;
        var where = path.ToArray();
        return PosixAcl.Translate(
            value,
            user => ids.UserToContainer(user) ?? throw UnmappedIdException.OfHost("user", user, where, ids),
            group => ids.GroupToContainer(group) ?? throw UnmappedIdException.OfHost("group", group, where, ids));
    }

    /// <summary>The same the other way.</summary>
    /// <exception cref="UnmappedIdException">It names one that the host does not have for the container.</exception>
    internal static byte[] ToHost(this IdMap ids, ReadOnlySpan<byte> attribute, byte[] value) =>
        ids.IsHost() || !PosixAcl.IsAcl(attribute) ? value : PosixAcl.Translate(
            value,
            user => ids.UserToHost(user) ?? throw UnmappedIdException.OfContainer("user", user, ids),
            group => ids.GroupToHost(group) ?? throw UnmappedIdException.OfContainer("group", group, ids));
}
