using Microsoft.Win32.SafeHandles;
using StorageActors.Archive.Tar;
using StorageActors.Linux;

namespace StorageActors.Archive.Apply;

/// <summary>Gives inodes the extended attributes of their entries, as far as the driver's format and the file system keep them.</summary>
internal sealed class XattrWriter(ExtractTarget target, ApplyWarnings warnings)
{
    private readonly ByteBuffer _stored = new();

    /// <summary>Sets an entry's attributes on an open file; an empty name means the descriptor itself, another one a name in that directory.</summary>
    /// <param name="file">The file, or the directory that <paramref name="name"/> is in.</param>
    /// <param name="name">The name, or empty.</param>
    /// <param name="entry">The entry.</param>
    /// <returns>The default ACL, which is not set yet, if there is one.</returns>
    internal byte[]? Set(SafeFileHandle file, ReadOnlySpan<byte> name, TarEntry entry)
    {
        byte[]? defaultAcl = null;
        foreach (ref readonly var xattr in entry.Xattrs)
        {
            if (!TryTranslate(xattr.Name.Span, entry, out var stored)) continue;
            if (stored.SequenceEqual(XattrNamespaces.DefaultAcl)) defaultAcl = xattr.Value.ToArray();
            else Set(file, name, stored, xattr.Value.Span, PathText.Escape(entry.Name));
        }

        return defaultAcl;
    }

    /// <summary>Sets one attribute under the name it is stored by.</summary>
    internal void Set(SafeFileHandle file, ReadOnlySpan<byte> name, ReadOnlySpan<byte> stored, ReadOnlySpan<byte> value, string place)
    {
        var errno = name.IsEmpty ? Libc.TryFSetXattr(file, stored, value) : Libc.TrySetXattrAt(file, name, stored, value);
        if (errno == Errno.None) return;
        var shown = PathText.Escape(stored);
        if (errno is Errno.EOPNOTSUPP or Errno.EPERM || XattrNamespaces.IsMeasurement(stored))
        {
            warnings.Add($"the attribute {shown} is not kept: the kernel or the file system refuses it ({errno})", place);
            return;
        }

        if (errno is Errno.E2BIG or Errno.ERANGE || (errno is Errno.ENOSPC or Errno.EDQUOT && HasSpace()))
            throw new EntryFault($"the attribute {shown} of {value.Length} bytes is too big for the file system ({errno})", overLimit: true);
        if (errno == Errno.EINVAL) throw new EntryFault($"the kernel does not take the value of the attribute {shown} (EINVAL)");
        throw Libc.Failure("setxattr", file, name, errno, shown);
    }

    /// <summary>Removes attributes that an entry does not have from what it replaces the attributes of.</summary>
    internal void Clear(SafeFileHandle file, ReadOnlySpan<byte> name, TarEntry? entry)
    {
        foreach (var stored in Libc.ListXattrAt(file, name))
        {
            if (XattrNamespaces.IsOfHost(stored) || Keeps(stored, entry)) continue;
            Libc.RemoveXattrAt(file, name, stored);
        }
    }

    /// <summary>Takes off the ACLs that a new inode got from its directory.</summary>
    internal static void DropInherited(SafeFileHandle file, ReadOnlySpan<byte> name)
    {
        foreach (var stored in Libc.ListXattrAt(file, name))
        {
            if (stored.SequenceEqual(XattrNamespaces.AccessAcl) || stored.SequenceEqual(XattrNamespaces.DefaultAcl))
                Libc.RemoveXattrAt(file, name, stored);
        }
    }

    private bool Keeps(ReadOnlySpan<byte> stored, TarEntry? entry)
    {
        if (entry is null) return false;
        foreach (ref readonly var xattr in entry.Xattrs)
        {
            var archived = xattr.Name.Span;
            var rule = target.Whiteouts.OnExtract(archived, _stored);
            if (rule == XattrRule.Keep ? archived.SequenceEqual(stored) : rule == XattrRule.Rename && _stored.Span.SequenceEqual(stored)) return true;
        }

        return false;
    }

    private bool TryTranslate(ReadOnlySpan<byte> archived, TarEntry entry, out ReadOnlySpan<byte> stored)
    {
        var rule = target.Whiteouts.OnExtract(archived, _stored);
        stored = rule == XattrRule.Rename ? _stored.Span : archived;
        if (rule == XattrRule.Drop)
        {
            warnings.Add(
                $"the attribute {PathText.Escape(archived)} is left out: overlayfs would take it for its own, and this kernel cannot nest it",
                PathText.Escape(entry.Name));
        }

        return rule is XattrRule.Keep or XattrRule.Rename;
    }

    /// <summary>ENOSPC of an attribute means the inode's space, unless the disk really is full.</summary>
    private bool HasSpace() => Libc.FStatFs(target.Root).AvailableBlocks > 64;
}
