using Microsoft.Win32.SafeHandles;
using StorageActors.Archive.Apply;
using StorageActors.Linux;

namespace StorageActors.Drivers.Copying;

/// <summary>
/// Copies every extended attribute that can be read, but for those that <see cref="IsLeftOut"/> names; what the target's file system refuses is reported.
/// </summary>
internal sealed class XattrCopier(CopyTeam team)
{
    /// <summary>
    /// Attributes that would be wrong on a copy: the label that the machine's policy gives to new files (<c>security.selinux</c>), a signature over the inode itself
    /// (<c>security.evm</c>), a file server's own lists (<c>system.nfs4_acl</c>), and the form in which xfs shows a POSIX ACL a second time
    /// (<c>trusted.SGI_ACL_…</c>; it comes as <c>system.posix_acl_…</c>).
    /// </summary>
    internal static bool IsLeftOut(ReadOnlySpan<byte> attribute) =>
        XattrNamespaces.IsOfHost(attribute)
        || attribute.SequenceEqual("trusted.SGI_ACL_FILE"u8) || attribute.SequenceEqual("trusted.SGI_ACL_DEFAULT"u8);

    /// <summary>From one open file or directory to another.</summary>
    internal void Copy(SafeFileHandle source, SafeFileHandle target, ReadOnlySpan<byte> path)
    {
        foreach (var attribute in Libc.FListXattr(source))
        {
            if (IsLeftOut(attribute) || Libc.FGetXattr(source, attribute) is not { } value) continue;
            var errno = Libc.TryFSetXattr(target, attribute, value);
            if (errno != Errno.None && !Drop(attribute, errno, path)) throw Libc.Failure("fsetxattr", target, errno, PathText.Escape(attribute));
        }
    }

    /// <summary>From one name to the same name in another directory; of the name itself, never of what a link leads to.</summary>
    internal void Copy(SafeFileHandle from, SafeFileHandle to, ReadOnlySpan<byte> name, ReadOnlySpan<byte> path)
    {
        foreach (var attribute in Libc.ListXattrAt(from, name))
        {
            if (IsLeftOut(attribute) || Libc.GetXattrAt(from, name, attribute) is not { } value) continue;
            var errno = Libc.TrySetXattrAt(to, name, attribute, value);
            if (errno != Errno.None && !Drop(attribute, errno, path)) throw Libc.Failure("setxattrat", to, name, errno, PathText.Escape(attribute));
        }
    }

    private bool Drop(ReadOnlySpan<byte> attribute, Errno errno, ReadOnlySpan<byte> path)
    {
        if (errno is not (Errno.EOPNOTSUPP or Errno.EPERM) && !XattrNamespaces.IsMeasurement(attribute)) return false;
        team.Drop($"the attribute {PathText.Escape(attribute)} is not copied: the kernel or the file system refuses it ({errno})", path);
        return true;
    }
}
