using Microsoft.Win32.SafeHandles;
using StorageActors.Archive.Tar;
using StorageActors.Linux;

namespace StorageActors.Archive.Apply;

/// <summary>For directories that hold the whole tree: what is hidden is simply not there.</summary>
internal sealed class DirectWhiteouts : IWhiteoutFormat
{
    /// <summary>For a tree that already holds what the layers below show.</summary>
    internal static readonly DirectWhiteouts Instance = new(inPlace: true);

    /// <summary>For the tree of a base layer: nothing is below it, so there is nothing to look for before each entry, and nothing to hide.</summary>
    internal static readonly DirectWhiteouts OnNothing = new(inPlace: false);

    private DirectWhiteouts(bool inPlace) => InPlace = inPlace;

    /// <inheritdoc/>
    public bool InPlace { get; }

    /// <inheritdoc/>
    public bool WriteWhiteout(SafeFileHandle directory, ReadOnlySpan<byte> name) => throw new NotSupportedException("a whole tree has no whiteouts");

    /// <inheritdoc/>
    public void MarkOpaque(SafeFileHandle parent, ReadOnlySpan<byte> name)
    {
        // Nothing is below: nothing is hidden. In place it is never asked for.
    }

    /// <inheritdoc/>
    public bool IsWhiteout(SafeFileHandle directory, ReadOnlySpan<byte> name, in FileStatus status) => false;

    /// <inheritdoc/>
    public bool IsOpaque(SafeFileHandle parent, ReadOnlySpan<byte> name) => false;

    /// <inheritdoc/>
    public bool LiesElsewhere(ReadOnlySpan<byte> xattr) => false;

    /// <inheritdoc/>
    public bool IsPrivate(ReadOnlySpan<byte> xattr) => false;

    /// <inheritdoc/>
    public XattrRule OnExtract(ReadOnlySpan<byte> archived, ByteBuffer stored) =>
        // Trusted ones are data here, as they are in a mounted overlay that has them escaped; the others no driver keeps.
        archived.StartsWith("user.overlay."u8) ? XattrRule.Drop : XattrNamespaces.OnExtract(archived);

    /// <inheritdoc/>
    public XattrRule OnArchive(ReadOnlySpan<byte> stored, ByteBuffer archived) =>
        stored.StartsWith("trusted.overlay."u8) ? XattrRule.Keep
        : stored.StartsWith("user.overlay."u8) ? XattrRule.Ignore
        : XattrNamespaces.OnArchive(stored);
}
