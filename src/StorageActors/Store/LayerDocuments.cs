using System.Security.Cryptography;
using System.Text;
using Microsoft.Win32.SafeHandles;
using StorageActors.Catalog;
using StorageActors.Drivers;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Store;

/// <summary>
/// A layer's documents, each a file in <c>documents/</c> of its directory, named as those of images are. Content comes first, under a name that only this document with
/// this digest has; then the journal has it; then the record; and last it gets its own name. Whichever of these a crash comes after, the record, new or old, finds
/// the content that it means, once <see cref="Settle"/> was run.
/// </summary>
internal static class LayerDocuments
{
    private const uint OwnerOnly = 0x1C0; // 0700

    private static ReadOnlySpan<byte> FolderName => "documents"u8;

    /// <summary>Writes content that the record is about to name; durable when this is done, and nobody's document yet.</summary>
    internal static void Stage(string layer, BigDataItem item, ReadOnlySpan<byte> content)
    {
        using var directory = Libc.OpenDirectory(layer);
        var errno = Libc.TryMkdirAt(directory, FolderName, OwnerOnly);
        if (errno == Errno.None) Libc.FSync(directory);
        else if (errno != Errno.EEXIST) throw Libc.Failure("mkdirat", directory, FolderName, errno);
        using var folder = Libc.OpenDirectoryAt(directory, FolderName);
        AtomicFile.Replace(folder, StagedName(item), content);
    }

    /// <summary>
    /// Writes the documents of a layer that is being made, under their own names, and returns what its record is to say of them. Not durable by itself, since all of the
    /// directory is going to be, at once. May be repeated.
    /// </summary>
    internal static IReadOnlyList<BigDataItem> StageAll(string layer, IReadOnlyList<BigData> documents)
    {
        using var directory = Libc.OpenDirectory(layer);
        var errno = Libc.TryMkdirAt(directory, FolderName, OwnerOnly);
        if (errno is not (Errno.None or Errno.EEXIST)) throw Libc.Failure("mkdirat", directory, FolderName, errno);
        using var folder = Libc.OpenDirectoryAt(directory, FolderName);
        var items = documents.Select(static document => new BigDataItem(document.Key, document.Content.Length, Digest.Of(document.Content)))
            .OrderBy(static item => item.Key, StringComparer.Ordinal).ToArray();
        foreach (var document in documents)
        {
            var name = Encoding.UTF8.GetBytes(ImageFile.FileNameOf(document.Key));
            using var file = Libc.OpenAt(folder, name, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Truncate | OpenFlags.NoFollow, 0x180);
            Libc.WriteAll(file, document.Content);
        }

        return items;
    }

    /// <summary>
    /// Brings the files into agreement with a record that the directory has: gives content that came its name, removes what no document is called. May be repeated;
    /// one at a time for each layer.
    /// </summary>
    /// <param name="layer">The layer's directory.</param>
    /// <param name="record">Its record.</param>
    /// <param name="sweep">Whether to remove content, too, that nobody came to name: when nobody is bringing any.</param>
    internal static void Settle(string layer, LayerRecord record, bool sweep = false)
    {
        using var folder = Open(layer);
        if (folder is null) return;
        var (items, isChanged) = (record.BigData ?? [], false);
        foreach (var item in items)
        {
            var errno = Libc.TryRenameAt2(folder, StagedName(item), folder, FileName(item));
            if (errno == Errno.None) isChanged = true;
            else if (errno != Errno.ENOENT) throw Libc.Failure("renameat2", folder, StagedName(item), errno);
        }

        foreach (var name in Strangers(folder, items, sweep)) isChanged |= Libc.TryUnlinkAt(folder, name) == Errno.None;
        if (isChanged) Libc.FSync(folder);
    }

    /// <summary>Reads a document and checks that it is what was put.</summary>
    /// <exception cref="PermanentDriverException">Damaged: it is missing, or other than the record says.</exception>
    internal static byte[] Read(string layer, BigDataItem item)
    {
        using var folder = Open(layer);
        // Between the journal and its name it has the other one; and it may get its name between two looks.
        foreach (var name in folder is null ? [] : new[] { FileName(item), StagedName(item), FileName(item) })
        {
            if (AtomicFile.Read(folder!, name, BigData.LargestLength) is { } content && Digest.Of(content) == item.Digest) return content;
        }

        throw new PermanentDriverException(new StorageError(
            StorageErrorCode.Damaged, "read document", $"the document {NameRules.Printable(item.Key)} is not {item.Digest} any more; put it again, or remove it",
            Path.Combine(layer, "documents", ImageFile.FileNameOf(item.Key))));
    }

    /// <summary>Null when there is none: the layer never had a document.</summary>
    private static SafeFileHandle? Open(string layer)
    {
        var path = Path.Combine(layer, "documents");
        var errno = Libc.TryOpen(path, OpenFlags.Directory | OpenFlags.NoFollow, 0, out var folder);
        if (errno == Errno.None) return folder;
        folder.Dispose();
        return errno == Errno.ENOENT ? null : throw new LinuxException("open", path, errno);
    }

    private static List<byte[]> Strangers(SafeFileHandle folder, IReadOnlyList<BigDataItem> items, bool sweep)
    {
        var known = items.Select(static item => ImageFile.FileNameOf(item.Key)).ToHashSet(StringComparer.Ordinal);
        var strangers = new List<byte[]>();
        using var reader = new DirectoryReader(folder);
        reader.Rewind();
        while (reader.TryRead(out var entry))
        {
            var isStaged = entry.Name[0] == (byte)'.';
            if (isStaged ? sweep : !known.Contains(Encoding.UTF8.GetString(entry.Name))) strangers.Add(entry.Name.ToArray());
        }

        return strangers;
    }

    private static byte[] FileName(BigDataItem item) => Encoding.UTF8.GetBytes(ImageFile.FileNameOf(item.Key));

    private static byte[] StagedName(BigDataItem item) =>
        Encoding.ASCII.GetBytes(".new-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{item.Digest} {item.Key}"))));
}
