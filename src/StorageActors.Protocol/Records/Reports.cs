namespace StorageActors.Protocol;

/// <summary>One difference between a layer and another.</summary>
/// <param name="Kind">Added, changed or deleted.</param>
/// <param name="Path">Absolute path inside the layer; bytes that are not UTF-8 appear as <c>\xNN</c>.</param>
public sealed record LayerChange(ChangeKind Kind, string Path);

/// <summary>What happened to a path.</summary>
public enum ChangeKind
{
    /// <summary>It is new.</summary>
    Added,

    /// <summary>It was there and differs, or something below it does.</summary>
    Changed,

    /// <summary>It is gone.</summary>
    Deleted,
}

/// <summary>What a layer takes on disk.</summary>
/// <param name="Layer">The layer.</param>
/// <param name="Bytes">Allocated bytes of its own content.</param>
/// <param name="Inodes">Its inodes, hard links once.</param>
/// <param name="Shared">Whether more than one image or child needs it.</param>
/// <param name="Reclaimable">Whether nothing needs it: no image, no child, no lease.</param>
/// <param name="ContentBytes">Sum of the lengths of its own files and symbolic links, hard links once, holes counted.</param>
/// <param name="DiffSize">Length of its uncompressed tar; none while that is not known: of a writable layer, and of one that was frozen without being read.</param>
/// <param name="DocumentBytes">Sum of the lengths of its documents.</param>
public sealed record LayerUsage(
    LayerId Layer, long Bytes, long Inodes, bool Shared, bool Reclaimable, long ContentBytes = 0, long? DiffSize = null, long DocumentBytes = 0);

/// <summary>What an image takes on disk besides its layers.</summary>
/// <param name="Image">The image.</param>
/// <param name="Size">What it is in all, unpacked: its documents and the uncompressed tars of its layers; none when the length of one is not known.</param>
/// <param name="RecordBytes">Allocated bytes of its record and documents.</param>
/// <param name="BlobBytes">Allocated bytes of the blobs that are kept with it; one that other images keep, too, counts for each of them.</param>
public sealed record ImageUsage(ImageId Image, long? Size, long RecordBytes, long BlobBytes);

/// <summary>What the store takes on disk.</summary>
/// <param name="Layers">Each layer.</param>
/// <param name="TrashBytes">Bytes that were removed and are being deleted.</param>
/// <param name="FreeBytes">Free on the file system.</param>
/// <param name="FreeInodes">Inodes free on the file system; 0 where it does not count them.</param>
/// <param name="Images">Each image; none when one layer alone was asked about.</param>
/// <param name="Blobs">How many blobs are kept with images, each once.</param>
/// <param name="BlobBytes">Their allocated bytes, each once.</param>
public sealed record UsageReport(
    IReadOnlyList<LayerUsage> Layers, long TrashBytes, long FreeBytes, long FreeInodes, IReadOnlyList<ImageUsage>? Images = null, int Blobs = 0, long BlobBytes = 0);

/// <summary>One thing that a check found.</summary>
/// <param name="Kind">A fixed word: <c>orphan-directory</c>, <c>missing-layer</c>, <c>digest-mismatch</c>, <c>stale-staging</c>, <c>stray-mount</c>, …</param>
/// <param name="Subject">A layer, an image or a path.</param>
/// <param name="Message">What is wrong and what a repair does.</param>
/// <param name="Repaired">Whether it was put right. A layer that is only marked as damaged is not.</param>
/// <param name="Note">Whether nothing is wrong: it is only worth knowing.</param>
public sealed record Finding(string Kind, string Subject, string Message, bool Repaired, bool Note = false);

/// <summary>What a rebuild of the journal found, and made of it.</summary>
/// <param name="Layers">The layers that the journal has now; of a dry run, would have.</param>
/// <param name="Images">The images.</param>
/// <param name="Findings">What could not be taken over as it is.</param>
/// <param name="Replaced">Where the old journal is now; none after a dry run, or when there was none.</param>
public sealed record RebuildReport(IReadOnlyList<LayerId> Layers, IReadOnlyList<ImageId> Images, IReadOnlyList<Finding> Findings, string? Replaced);

/// <summary>Limits of one layer's uncompressed tar; what is absent is unlimited.</summary>
/// <param name="Size">Bytes.</param>
/// <param name="Entries">Entries and paths.</param>
/// <param name="Ratio">Bytes for each byte of a compressed blob, once the tar is larger than <paramref name="RatioFrom"/>.</param>
/// <param name="RatioFrom">Bytes from which on the ratio counts.</param>
public sealed record StoreLimits(long? Size = null, long? Entries = null, long? Ratio = null, long? RatioFrom = null);

/// <summary>A fact for people: a version, a probe of the kernel or file system, a setting in force.</summary>
/// <param name="Group">What it belongs to: <c>engine</c>, <c>driver</c>, <c>kernel</c>, <c>file system</c>, <c>settings</c>.</param>
/// <param name="Name">What it is about.</param>
/// <param name="Value">The fact.</param>
public sealed record StoreFact(string Group, string Name, string Value);
