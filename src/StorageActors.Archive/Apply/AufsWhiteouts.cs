using Microsoft.Win32.SafeHandles;
using StorageActors.Archive.Tar;
using StorageActors.Linux;

namespace StorageActors.Archive.Apply;

/// <summary>
/// aufs's own format, which is that of layers' archives: an empty file <c>.wh.NAME</c> beside a name hides it, <c>.wh..wh..opq</c> in a directory hides
/// all that is below. Other names that begin with <c>.wh..wh.</c> are what aufs keeps in a branch that it writes to, and no part of the layer.
/// </summary>
internal sealed class AufsWhiteouts : IWhiteoutFormat
{
    internal static readonly AufsWhiteouts Instance = new();
    private const uint Mode = 0x124;   // 0444, as aufs makes them

    private AufsWhiteouts()
    {
    }

    /// <inheritdoc/>
    public bool InPlace => false;

    /// <inheritdoc/>
    public bool MarksAreNames => true;

    /// <summary>aufs keeps room for a doubled prefix and a temporary suffix (AUFS_MAX_NAMELEN); a longer name cannot be looked up in a mount.</summary>
    public int MaximumNameLength => 242;

    /// <inheritdoc/>
    public bool WriteWhiteout(SafeFileHandle directory, ReadOnlySpan<byte> name)
    {
        // A whiteout and what it hides in one branch: aufs would see the whiteout alone.
        if (Libc.TryFStatAt(directory, name, out _) == Errno.None) return false;
        return Mark(directory, EntryRoles.WhiteoutOf(name));
    }

    /// <inheritdoc/>
    public void MarkOpaque(SafeFileHandle parent, ReadOnlySpan<byte> name) => Mark(parent, LayerPath.Join(name, EntryRoles.OpaqueMark));

    /// <inheritdoc/>
    public bool IsWhiteout(SafeFileHandle directory, ReadOnlySpan<byte> name, in FileStatus status)
    {
        LayerPath.Split(name, out var last);
        return status.IsRegular && EntryRoles.Of(last, out _) == EntryRole.Whiteout;
    }

    /// <inheritdoc/>
    public ReadOnlySpan<byte> HiddenBy(ReadOnlySpan<byte> whiteout)
    {
        EntryRoles.Of(whiteout, out var hidden);
        return hidden;
    }

    /// <inheritdoc/>
    public bool IsHiddenBeside(SafeFileHandle root, ReadOnlySpan<byte> path)
    {
        var parent = LayerPath.Split(path, out var name);
        // Over the limit of a file's name nothing can be written beside it.
        return name.Length <= MaximumNameLength && IsFile(root, LayerPath.Join(parent, EntryRoles.WhiteoutOf(name)));
    }

    /// <inheritdoc/>
    public bool IsHousekeeping(ReadOnlySpan<byte> name) => EntryRoles.Of(name, out _) is EntryRole.AufsMetadata or EntryRole.AufsLink or EntryRole.Opaque;

    /// <inheritdoc/>
    public bool IsOpaque(SafeFileHandle parent, ReadOnlySpan<byte> name) => IsFile(parent, LayerPath.Join(name, EntryRoles.OpaqueMark));

    /// <inheritdoc/>
    public bool LiesElsewhere(ReadOnlySpan<byte> xattr) => false;

    /// <inheritdoc/>
    public bool IsPrivate(ReadOnlySpan<byte> xattr) => OverlayWhiteouts.IsOverlay(xattr);

    /// <remarks>Overlay attributes mean nothing to aufs, but a branch that had them would be another layer to overlayfs.</remarks>
    public XattrRule OnExtract(ReadOnlySpan<byte> archived, ByteBuffer stored) =>
        OverlayWhiteouts.IsOverlay(archived) ? XattrRule.Drop : XattrNamespaces.OnExtract(archived);

    /// <inheritdoc/>
    public XattrRule OnArchive(ReadOnlySpan<byte> stored, ByteBuffer archived) =>
        OverlayWhiteouts.IsOverlay(stored) ? XattrRule.Ignore : XattrNamespaces.OnArchive(stored);

    private static bool IsFile(SafeFileHandle directory, ReadOnlySpan<byte> path) => Libc.TryFStatAt(directory, path, out var status) switch
    {
        Errno.None => status.IsRegular,
        Errno.ENOENT or Errno.ENOTDIR => false,
        var errno => throw Libc.Failure("statx", directory, path, errno),
    };

    private static bool Mark(SafeFileHandle directory, ReadOnlySpan<byte> name)
    {
        var errno = Libc.TryOpenAt(directory, name, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Exclusive | OpenFlags.NoFollow, Mode, out var file);
        file.Dispose();
        if (errno is not (Errno.None or Errno.EEXIST)) throw Libc.Failure("openat", directory, name, errno, "a whiteout");
        return errno == Errno.None;
    }
}
