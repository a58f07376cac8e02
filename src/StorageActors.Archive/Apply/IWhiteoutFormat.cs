using Microsoft.Win32.SafeHandles;
using StorageActors.Archive.Tar;
using StorageActors.Linux;

namespace StorageActors.Archive.Apply;

/// <summary>How a driver's directories say that something of the layers below is hidden. Without state; safe for several threads.</summary>
internal interface IWhiteoutFormat
{
    /// <summary>
    /// Whether a layer's directory already holds all that is below it, so that a whiteout is a removal and no mark is ever written.
    /// </summary>
    bool InPlace { get; }

    /// <summary>Hides a name of the layers below; false when something has that name already.</summary>
    bool WriteWhiteout(SafeFileHandle directory, ReadOnlySpan<byte> name);

    /// <summary>Hides all that the layers below have in a directory. An empty name means the descriptor itself.</summary>
    void MarkOpaque(SafeFileHandle parent, ReadOnlySpan<byte> name);

    /// <summary>
    /// Whether marks are names of their own, which who looks at a layer's directory sees. Then an opaque mark, too, is written only where it hides something.
    /// </summary>
    bool MarksAreNames => false;

    /// <summary>The longest name that the union can show, in bytes.</summary>
    int MaximumNameLength => LayerPath.MaxComponent;

    /// <summary>Whether what lies there is a whiteout.</summary>
    bool IsWhiteout(SafeFileHandle directory, ReadOnlySpan<byte> name, in FileStatus status);

    /// <summary>The name that a whiteout hides: its own, for a mark in the place of what it hides, or another, for a mark beside it.</summary>
    ReadOnlySpan<byte> HiddenBy(ReadOnlySpan<byte> whiteout) => whiteout;

    /// <summary>Whether a mark beside a name hides it. To be asked where the layer has nothing of that name.</summary>
    bool IsHiddenBeside(SafeFileHandle root, ReadOnlySpan<byte> path) => false;

    /// <summary>Whether a name in a layer's directory belongs to the union file system itself: neither content nor a whiteout.</summary>
    bool IsHousekeeping(ReadOnlySpan<byte> name) => false;

    /// <summary>Whether a directory is marked. An empty name means the descriptor itself.</summary>
    bool IsOpaque(SafeFileHandle parent, ReadOnlySpan<byte> name);

    /// <summary>Whether content of an inode lies elsewhere (overlay's <c>redirect</c> and <c>metacopy</c>), so that its directory alone does not say what it is.</summary>
    bool LiesElsewhere(ReadOnlySpan<byte> xattr);

    /// <summary>Whether a stored attribute says how layers are put together and is no content: not to be copied from one layer to another.</summary>
    bool IsPrivate(ReadOnlySpan<byte> xattr);

    /// <summary>How an archive's attribute is stored; <paramref name="stored"/> has the name for <see cref="XattrRule.Rename"/>.</summary>
    XattrRule OnExtract(ReadOnlySpan<byte> archived, ByteBuffer stored);

    /// <summary>How a stored attribute is archived; <paramref name="archived"/> has the name for <see cref="XattrRule.Rename"/>.</summary>
    XattrRule OnArchive(ReadOnlySpan<byte> stored, ByteBuffer archived);
}
