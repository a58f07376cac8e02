using System.Text;
using Microsoft.Win32.SafeHandles;
using StorageActors.Archive.Tar;
using StorageActors.Linux;

namespace StorageActors.Archive.Apply;

/// <summary>
/// overlayfs's own format: a whiteout is a character device 0:0, or (read only) an empty file with the attribute <c>overlay.whiteout</c>; an opaque directory has
/// the attribute <c>overlay.opaque</c> = <c>y</c>.
/// </summary>
/// <remarks>
/// An archive may carry attributes that overlayfs would obey (a redirect to any path of the layers below). They are kept as
/// <c>trusted.overlay.overlay.…</c>, which kernels since 6.7 show without the extra part in the mounted tree; for older ones they are dropped.
/// </remarks>
internal sealed class OverlayWhiteouts : IWhiteoutFormat
{
    private readonly byte[] _prefix;
    private readonly byte[] _escaped;
    private readonly byte[] _opaque;
    private readonly byte[] _whiteout;
    private readonly byte[] _redirect;
    private readonly byte[] _metacopy;
    private readonly bool _escapes;

    /// <param name="escapes">Whether the kernel un-escapes nested attributes (6.7).</param>
    /// <param name="userXattrs">Whether layers are mounted with <c>userxattr</c> (in a user namespace): <c>user.overlay.</c> then, else <c>trusted.overlay.</c>.</param>
    internal OverlayWhiteouts(bool escapes, bool userXattrs = false)
    {
        _escapes = escapes;
        var prefix = userXattrs ? "user.overlay." : "trusted.overlay.";
        _prefix = Encoding.ASCII.GetBytes(prefix);
        _escaped = Encoding.ASCII.GetBytes(prefix + "overlay.");
        _opaque = Encoding.ASCII.GetBytes(prefix + "opaque");
        _whiteout = Encoding.ASCII.GetBytes(prefix + "whiteout");
        _redirect = Encoding.ASCII.GetBytes(prefix + "redirect");
        _metacopy = Encoding.ASCII.GetBytes(prefix + "metacopy");
    }

    /// <inheritdoc/>
    public bool InPlace => false;

    /// <summary>Whether overlayfs, of whichever kind of mount, would take the attribute for its own.</summary>
    internal static bool IsOverlay(ReadOnlySpan<byte> xattr) => xattr.StartsWith("trusted.overlay."u8) || xattr.StartsWith("user.overlay."u8);

    /// <inheritdoc/>
    public bool WriteWhiteout(SafeFileHandle directory, ReadOnlySpan<byte> name)
    {
        var errno = Libc.TryMknodAt(directory, name, FileType.CharacterDevice, 0);
        if (errno is not (Errno.None or Errno.EEXIST)) throw Libc.Failure("mknodat", directory, name, errno, "a whiteout");
        return errno == Errno.None;
    }

    /// <inheritdoc/>
    public void MarkOpaque(SafeFileHandle parent, ReadOnlySpan<byte> name) => Libc.SetXattrAt(parent, name, _opaque, "y"u8);

    /// <inheritdoc/>
    public bool IsWhiteout(SafeFileHandle directory, ReadOnlySpan<byte> name, in FileStatus status) => status.Type switch
    {
        FileType.CharacterDevice => status.Device == default,
        FileType.Regular when status.Size == 0 => Has(directory, name, _whiteout, out _),
        _ => false,
    };

    /// <inheritdoc/>
    public bool IsOpaque(SafeFileHandle parent, ReadOnlySpan<byte> name) => Has(parent, name, _opaque, out var first) && first == (byte)'y';

    /// <inheritdoc/>
    public bool LiesElsewhere(ReadOnlySpan<byte> xattr) => xattr.SequenceEqual(_redirect) || xattr.SequenceEqual(_metacopy);

    /// <inheritdoc/>
    public bool IsPrivate(ReadOnlySpan<byte> xattr) => xattr.StartsWith(_prefix) && !xattr.StartsWith(_escaped);

    /// <inheritdoc/>
    public XattrRule OnExtract(ReadOnlySpan<byte> archived, ByteBuffer stored)
    {
        if (!IsOverlay(archived)) return XattrNamespaces.OnExtract(archived);
        if (!archived.StartsWith(_prefix) || !_escapes) return XattrRule.Drop;
        stored.Set(_escaped);
        stored.Append(archived[_prefix.Length..]);
        return XattrRule.Rename;
    }

    /// <inheritdoc/>
    public XattrRule OnArchive(ReadOnlySpan<byte> stored, ByteBuffer archived)
    {
        if (!IsOverlay(stored)) return XattrNamespaces.OnArchive(stored);
        if (!stored.StartsWith(_escaped)) return XattrRule.Ignore;
        archived.Set(_prefix);
        archived.Append(stored[_escaped.Length..]);
        return XattrRule.Rename;
    }

    private static bool Has(SafeFileHandle parent, ReadOnlySpan<byte> name, ReadOnlySpan<byte> attribute, out byte first)
    {
        Span<byte> value = stackalloc byte[16];
        var errno = Libc.TryGetXattrAt(parent, name, attribute, value, out var length);
        first = errno == Errno.None && length > 0 ? value[0] : (byte)0;
        return errno switch
        {
            Errno.None or Errno.ERANGE => true,
            Errno.ENODATA or Errno.EOPNOTSUPP => false,
            _ => throw Libc.Failure("getxattrat", parent, name, errno, PathText.Escape(attribute)),
        };
    }
}
