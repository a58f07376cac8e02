using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;
using StorageActors.Drivers;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Store;

/// <summary>
/// An image's directory: <c>image.json</c> with its record, and a file for each of its documents. It is made beside the others under a name that
/// starts with <c>.new-</c>, durable before it is renamed, and exchanged as a whole when the image is put again.
/// </summary>
internal static class ImageFile
{
    private const int MaximumLength = 16 * 1024 * 1024;
    private const int MaximumName = 255;

    private static ReadOnlySpan<byte> RecordName => "image.json"u8;

    /// <summary>
    /// Makes the image's directory, complete and durable, at <paramref name="path"/> (which does not exist). Documents that are not given are taken
    /// from the directory that the image has now; <paramref name="blobs"/> brings what is kept besides.
    /// </summary>
    internal static void Stage(
        StoreLayout layout, string path, ImageRecord image, IReadOnlyList<BigData> documents, Action<SafeFileHandle>? blobs = null)
    {
        using var home = Libc.OpenDirectory(layout.ImageHome);
        var name = Encoding.UTF8.GetBytes(Path.GetFileName(path));
        Libc.MkdirAt(home, name, 0x1C0);
        using var directory = Libc.OpenDirectoryAt(home, name);
        var given = documents.ToDictionary(static document => document.Key, static document => document.Content);
        foreach (var item in image.BigData)
        {
            var file = Encoding.UTF8.GetBytes(FileNameOf(item.Key));
            if (given.TryGetValue(item.Key, out var content)) AtomicFile.Replace(directory, file, content);
            else Link(home, image.Id, directory, file);
        }

        blobs?.Invoke(directory);
        Write(directory, image);
    }

    /// <summary>
    /// Renames a staged directory to its final name; one rename. True when there was one: that has the staged name now, and is to be moved to the trash.
    /// Run it under the store's lock; make the directory durable afterwards.
    /// </summary>
    /// <param name="home">The directory of all images.</param>
    /// <param name="staged">The new one's name there.</param>
    /// <param name="image">Its final name.</param>
    internal static bool Commit(SafeFileHandle home, byte[] staged, byte[] image)
    {
        var errno = Libc.TryRenameAt2(home, staged, home, image, RenameFlags.NoReplace);
        if (errno == Errno.None) return false;
        if (errno != Errno.EEXIST) throw Libc.Failure("renameat2", home, image, errno, "RENAME_NOREPLACE");
        Libc.RenameAt2(home, staged, home, image, RenameFlags.Exchange);
        return true;
    }

    /// <summary>Undoes <see cref="Commit"/>, if the file system lets it: the directory has its staged name again. Run it under the store's lock.</summary>
    internal static Errno TakeBack(SafeFileHandle home, byte[] staged, byte[] image, bool replaced) =>
        Libc.TryRenameAt2(home, image, home, staged, replaced ? RenameFlags.Exchange : RenameFlags.NoReplace);

    /// <summary>
    /// Whether a directory has a staged name still. When no engine runs, it was left by a death, or by a put that failed and could not be taken back: then it is the old image, and the
    /// one that has its name is newer than the journal says.
    /// </summary>
    internal static bool IsAnyStaged(StoreLayout layout) => DirectoryNames.Of(layout.ImageHome).Any(IsStaged);

    /// <summary>Whether this is the name of a directory that is not put yet.</summary>
    internal static bool IsStaged(string name) => name.StartsWith(".new-", StringComparison.Ordinal);

    /// <summary>Replaces the record alone, after its names or labels have changed.</summary>
    internal static void Replace(StoreLayout layout, ImageRecord image)
    {
        using var directory = Libc.OpenDirectory(layout.ImageDirectory(image.Id));
        Write(directory, image, static () => CrashPoint.Reached(CrashPoint.RecordFileWritten));
    }

    /// <summary>Reads the record of an image from its directory.</summary>
    /// <exception cref="PermanentDriverException">Damaged: there is no valid record of this image.</exception>
    internal static ImageRecord Read(StoreLayout layout, ImageId image)
    {
        var path = Path.Combine(layout.ImageDirectory(image), StoreLayout.ImageFileName);
        using var directory = Libc.OpenDirectory(layout.ImageDirectory(image));
        var record = Read(directory, path);
        return record.Id == image ? record : throw Damaged(path, $"it is the record of image {record.Id}", null);
    }

    /// <summary>Which image a directory is, or was, whatever it is called now; null when it does not say.</summary>
    internal static ImageId? TryReadId(string path)
    {
        try
        {
            using var directory = Libc.OpenDirectory(path);
            return Read(directory, path).Id;
        }
        catch (Exception e) when (e is DriverException or LinuxException)
        {
            return null;
        }
    }

    private static ImageRecord Read(SafeFileHandle directory, string path)
    {
        var bytes = AtomicFile.Read(directory, RecordName, MaximumLength) ?? throw Damaged(path, "the file is missing", null);
        try
        {
            var content = StoreJson.Read<Content>(bytes) ?? throw new JsonException("it is null");
            return content.Format == StoreFormat.Current ? content.Image : throw new JsonException($"it has format {content.Format}");
        }
        catch (JsonException e)
        {
            throw Damaged(path, $"the file is no image record: {e.Message}", e);
        }
    }

    /// <summary>Reads a document and checks that it is what was put.</summary>
    internal static byte[] ReadDocument(StoreLayout layout, ImageId image, BigDataItem item)
    {
        var path = Path.Combine(layout.ImageDirectory(image), FileNameOf(item.Key));
        using var directory = Libc.OpenDirectory(layout.ImageDirectory(image));
        var content = AtomicFile.Read(directory, Encoding.UTF8.GetBytes(FileNameOf(item.Key))) ?? throw Damaged(path, "the document is missing", null);
        return Digest.Of(content) == item.Digest ? content
            : throw Damaged(path, $"the document is not {item.Digest} any more; put the image again", null);
    }

    /// <summary>
    /// The file of a document: its key if that is digits, small letters and dots, else <c>=</c> and its base64, as the peers have it, but with <c>_</c>
    /// for a slash. Keys that would be taken for something else are encoded, too, and one that is too long for a name becomes its digest.
    /// </summary>
    internal static string FileNameOf(string key)
    {
        var isPlain = key.Length is > 0 and <= MaximumName && key[0] != '.' && key != StoreLayout.ImageFileName
            && key.All(static c => char.IsAsciiDigit(c) || char.IsAsciiLetterLower(c) || c == '.');
        if (isPlain) return key;
        var bytes = Encoding.UTF8.GetBytes(key);
        var encoded = "=" + Convert.ToBase64String(bytes).Replace('/', '_');
        return encoded.Length <= MaximumName ? encoded : "=sha256-" + Convert.ToHexStringLower(SHA256.HashData(bytes));
    }

    private static void Link(SafeFileHandle home, ImageId image, SafeFileHandle directory, ReadOnlySpan<byte> file)
    {
        using var existing = Libc.OpenDirectoryAt(home, Encoding.UTF8.GetBytes(image.Value));
        Libc.LinkAt(existing, file, directory, file);
    }

    private static void Write(SafeFileHandle directory, ImageRecord image, Action? written = null) =>
        AtomicFile.Replace(directory, RecordName, StoreJson.Write(new Content(StoreFormat.Current, image)), written: written);

    private static PermanentDriverException Damaged(string path, string what, Exception? inner) =>
        new(new StorageError(StorageErrorCode.Damaged, "read image", what, path), inner);

    /// <summary>What the file holds.</summary>
    internal sealed record Content(int Format, ImageRecord Image);
}
