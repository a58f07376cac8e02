using System.Text;
using Microsoft.Win32.SafeHandles;
using StorageActors.Archive.Compression;
using StorageActors.Archive.Digests;
using StorageActors.Archive.Tar;
using StorageActors.Drivers;
using StorageActors.DriverOperations;
using StorageActors.Linux;
using StorageActors.Protocol;
using StorageActors.Store;
using StorageActors.Transfers;

namespace StorageActors.Blobs;

/// <summary>
/// Layers' blobs that are kept as they came, in <c>images/&lt;id&gt;/blobs/&lt;hex&gt;</c>. Images that name the same blob have hard links to one file: so a
/// blob needs no count and no collector, it goes with the last image's directory, and an image with its blobs is still one rename.
/// </summary>
internal static class ImageBlobs
{
    private const uint OwnerOnly = 0x1C0; // 0700
    private const int BlockSize = 1 << 20;

    private static ReadOnlySpan<byte> FolderName => "blobs"u8;

    /// <summary>
    /// Brings every blob that <paramref name="image"/> names into its staged directory: a link to the file of another image (or of this one, as it is now)
    /// where there is one, else a copy, whose length and digest are checked. With <paramref name="durable"/>, on the disk when it returns.
    /// </summary>
    internal static void Stage(
        StoreLayout layout, SafeFileHandle staged, ImageRecord image, IReadOnlyList<ImageBlob> given, bool durable, TransferTable transfers, CancellationToken stop)
    {
        if (image.Blobs is not { Count: > 0 }) return;
        Libc.MkdirAt(staged, FolderName, OwnerOnly);
        using var folder = Libc.OpenDirectoryAt(staged, FolderName);
        using var home = Libc.OpenDirectory(layout.ImageHome);
        var sources = given.ToDictionary(static blob => blob.Digest);
        foreach (var digest in image.Blobs)
        {
            if (TryLink(home, folder, digest)) continue;
            if (!sources.TryGetValue(digest, out var blob)) throw Refuse(StorageErrorCode.Damaged, $"blob {digest} is not kept any more; import the image again");
            Copy(folder, blob, durable, transfers, stop);
        }

        Libc.FSync(folder);
    }

    /// <summary>Opens a kept blob; null when the image does not have it.</summary>
    internal static SafeFileHandle? Open(StoreLayout layout, ImageId image, Digest digest)
    {
        var path = Path.Combine(layout.ImageDirectory(image), "blobs", digest.Hex);
        var errno = Libc.TryOpen(path, OpenFlags.ReadOnly | OpenFlags.NoFollow, 0, out var file);
        if (errno == Errno.None) return file;
        file.Dispose();
        return errno is Errno.ENOENT or Errno.ENOTDIR ? null : throw new LinuxException("open", path, errno);
    }

    /// <summary>Sends a file's bytes on and checks that they are what the digest says; returns their number.</summary>
    internal static long Send(SafeFileHandle file, Digest digest, Stream target, CancellationToken stop)
    {
        using var hasher = new Sha256Hasher();
        var block = GC.AllocateUninitializedArray<byte>(BlockSize);
        var length = 0L;
        for (int count; (count = Libc.ReadFully(file, block)) > 0; length += count)
        {
            stop.ThrowIfCancellationRequested();
            hasher.Append(block.AsSpan(0, count));
            target.Write(block, 0, count);
        }

        Check(digest, Digest.FromBytes(hasher.Finish()), StorageErrorCode.Damaged);
        return length;
    }

    private static bool TryLink(SafeFileHandle home, SafeFileHandle folder, Digest digest)
    {
        var name = Encoding.ASCII.GetBytes(digest.Hex);
        using var images = new DirectoryReader(home);
        images.Rewind(); // The blob before this one has read on.
        while (images.TryRead(out var entry))
        {
            if (entry.Name[0] == (byte)'.') continue; // Another image that is being staged.
            byte[] path = [.. entry.Name, .. "/blobs/"u8, .. name];
            if (Libc.TryLinkAt(home, path, folder, name) == Errno.None) return true;
        }

        return false;
    }

    /// <summary>Reads and digests on this thread and writes on another: it is the last step of an import, which nothing else runs beside.</summary>
    private static void Copy(SafeFileHandle folder, ImageBlob blob, bool durable, TransferTable transfers, CancellationToken stop)
    {
        using var source = BlobStreams.OpenSource(blob.Source with { Length = blob.Size }, transfers, stop);
        using var target = Libc.OpenAt(folder, Encoding.ASCII.GetBytes(blob.Digest.Hex), OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Exclusive, 0x180);
        using var output = new DescriptorStream(target);
        using var hasher = new Sha256Hasher();
        using var writer = new BlockWriter(output);
        while (true)
        {
            stop.ThrowIfCancellationRequested();
            var free = writer.Free();
            var count = source.Read(free);
            if (count == 0) break;
            hasher.Append(free[..count]);
            writer.Advance(count);
        }

        writer.Flush();
        if (writer.Position != blob.Size) throw Refuse(StorageErrorCode.DigestMismatch, $"blob {blob.Digest} has {writer.Position} bytes where {blob.Size} are announced");
        Check(blob.Digest, Digest.FromBytes(hasher.Finish()), StorageErrorCode.DigestMismatch);
        if (durable) Libc.FDataSync(target);
    }

    private static void Check(Digest expected, Digest actual, StorageErrorCode code)
    {
        if (actual != expected) throw Refuse(code, $"the blob named {expected} has the digest {actual}");
    }

    private static PermanentDriverException Refuse(StorageErrorCode code, string what) => new(new StorageError(code, "keep blob", what));
}
