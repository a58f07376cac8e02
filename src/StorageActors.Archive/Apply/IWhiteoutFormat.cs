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

    /// <summary>Whether what lies there is a whiteout.</summary>
    bool IsWhiteout(SafeFileHandle directory, ReadOnlySpan<byte> name, in FileStatus status);

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
