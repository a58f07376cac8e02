using System.Runtime.ExceptionServices;
using Microsoft.Win32.SafeHandles;
using StorageActors.Archive.Compression;
using StorageActors.Archive.Tar;
using StorageActors.Archive.TarSplit;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Archive.Apply;

/// <summary>
/// Fills a layer from its blob by the rules of the OCI image specification, and records the archive's structure so that the same bytes can be written again.
/// </summary>
/// <remarks>
/// Two threads: the caller's reads, digests and decompresses the blob; another, which nobody else uses, digests and parses the archive and makes files straight
/// out of its blocks. That one has a umask of its own, since the process's belongs to whoever embeds us and costs a chmod for each file.
/// </remarks>
internal static class LayerExtractor
{
    /// <summary>Extracts a layer. On failure the target holds anything between nothing and all of it, for the caller to remove.</summary>
    /// <param name="blob">The archive, compressed or not; read to its end, not disposed.</param>
    /// <param name="target">Where to, empty but for what a format that works in place has there.</param>
    /// <param name="options">Expectations and limits.</param>
    /// <param name="observer">Is told of the progress.</param>
    /// <param name="stop">Ends it with an <see cref="OperationCanceledException"/>.</param>
    /// <param name="deferred">What is left to <see cref="LayerRebase.Settle"/>; empty when the target says what is below.</param>
    /// <exception cref="LayerApplyException">The input is bad, over a limit, or not what was expected.</exception>
    /// <exception cref="LinuxException">A system call failed.</exception>
    internal static ExtractResult Extract(
        Stream blob, ExtractTarget target, ExtractOptions options, IExtractionObserver? observer, CancellationToken stop, out DeferredDecisions deferred)
    {
        stop.ThrowIfCancellationRequested();
        using var ring = new BlockRing();
        using var reader = new ExtractionReader(blob, options, observer, stop);
        var user = new Applier(target, options, ring, reader, stop);
        var thread = new Thread(user.Run) { IsBackground = true, Name = "storage-actors-extract" };
        thread.Start();
        reader.Run(ring);
        thread.Join();

        if (user.Failure is { } failure) throw Translate(failure, options) ?? Rethrow(failure);
        observer?.Advanced(reader.BlobSize, user.Entries);
        var result = new ExtractResult(
            ring.FinishDigest(), reader.FinishDigest(), reader.BlobSize, reader.Size, reader.Compression, user.Entries, user.Uids, user.Gids,
            [.. user.Warnings, .. target.Owners.TakeWarnings()]);
        Verify(result, options);

        deferred = user.Deferred;
        if (target.Whiteouts.InPlace || target.Below is null) return result;
        var more = LayerRebase.Settle(deferred, target);
        deferred = DeferredDecisions.None;
        return more.Count == 0 ? result : result with { Warnings = [.. result.Warnings, .. more] };
    }

    private static void Verify(ExtractResult result, ExtractOptions options)
    {
        if (options.ExpectedBlobSize is { } size && size != result.BlobSize)
            throw LayerApplyException.Mismatch($"the blob has {result.BlobSize} bytes where {size} were expected; fetch it again.");
        if (options.ExpectedBlobDigest is { } blob && blob != result.BlobDigest)
            throw LayerApplyException.Mismatch($"the blob has the digest {result.BlobDigest} where {blob} was expected; fetch it again.");
        if (options.ExpectedDiffId is { } diffId && diffId != result.DiffId)
            throw LayerApplyException.Mismatch($"the layer's uncompressed tar has the digest {result.DiffId} where {diffId} was expected: it is another layer, or it was changed; in an image, the config and the layers do not belong together.");
    }

    /// <summary>Faults of the input, wherever they were noticed, come out as one kind of exception.</summary>
    private static LayerApplyException? Translate(Exception failure, ExtractOptions options) => failure switch
    {
        TarFormatException { Fault: TarFault.LimitExceeded } e => Of(StorageErrorCode.LimitExceeded, e),
        TarFormatException e => Of(StorageErrorCode.BadInput, e),
        CompressedDataException e => Of(StorageErrorCode.BadInput, e),
        InputTooLargeException e when options.ExpectedBlobSize is not null => Of(StorageErrorCode.DigestMismatch, e),
        InputTooLargeException or DecompressionBombException => Of(StorageErrorCode.LimitExceeded, failure),
        TarSplitException e => Of(StorageErrorCode.Io, e),
        _ => null,
    };

    private static LayerApplyException Of(StorageErrorCode code, Exception e) =>
        new(new StorageError(code, LayerApplyException.Extracting, e.Message), e);

    private static Exception Rethrow(Exception failure)
    {
        ExceptionDispatchInfo.Throw(failure);
        return failure;
    }

    /// <summary>The second half: everything that happens on the thread of its own.</summary>
    private sealed class Applier(ExtractTarget target, ExtractOptions options, BlockRing ring, ExtractionReader reader, CancellationToken stop)
    {
        internal Exception? Failure { get; private set; }

        internal long Entries { get; private set; }

        internal IReadOnlyList<long> Uids { get; private set; } = [];

        internal IReadOnlyList<long> Gids { get; private set; } = [];

        internal IReadOnlyList<string> Warnings { get; private set; } = [];

        internal DeferredDecisions Deferred { get; private set; } = DeferredDecisions.None;

        internal void Run()
        {
            try
            {
                Apply();
            }
            catch (Exception e)
            {
                Failure = e;
                ring.Abandon();
            }
        }

        private void Apply()
        {
            var ownUmask = Libc.TryUnshareFs() == Errno.None;
            if (ownUmask) Libc.Umask(0);

            using var output = CreateRecord(target.LayerDirectory);
            using var record = new TarSplitWriter(output, () => CreateTemporary(target.LayerDirectory));
            using var applier = new EntryApplier(target, record, ownUmask, stop);
            var limits = new TarLimits { MaxEntries = options.MaximumEntries, MaxArchiveBytes = options.MaximumSize };
            var tar = new TarReader(new SettledBlocks(ring, applier), limits, record);
            while (tar.MoveNext())
            {
                applier.Apply(tar);
                // A few entries can imply many directories: a path has up to a thousand of them.
                if (applier.Paths > options.MaximumEntries) throw TooManyPaths(tar);
                Entries++;
                Volatile.Write(ref reader.Entries, Entries);
            }

            if (!tar.HasEndMarker && options is { ExpectedDiffId: null, ExpectedBlobDigest: null }) NoteMissingEnd(tar, applier);
            stop.ThrowIfCancellationRequested();
            Deferred = applier.Complete();
            record.Complete();
            (Uids, Gids, Warnings) = (applier.Uids, applier.Gids, applier.Warnings.ToList());
        }
    }

    /// <summary>Some writers leave the end out, so it is no fault of an archive that has entries; nothing at all is what a download that failed leaves.</summary>
    private static void NoteMissingEnd(TarReader tar, EntryApplier applier)
    {
        if (tar.Position == 0) throw new TarFormatException(TarFault.Truncated, 1, 0, "the archive is empty: it has not even an end");
        applier.Warnings.Add("the archive has no end marker; if it was cut between two entries, nothing else shows it", $"{tar.Position} bytes");
    }

    private static LayerApplyException TooManyPaths(TarReader tar) => EntryApplier.Refused(
        tar.Current.Index, tar.Current.Name, "with the directories that they lie in, the entries up to it have more paths than the limit allows entries", overLimit: true);

    /// <summary>The ring's blocks, each taken back when no file needs it any more.</summary>
    private sealed class SettledBlocks(BlockRing ring, EntryApplier applier) : IBlockSource
    {
        public ReadOnlyMemory<byte> NextBlock()
        {
            applier.Settle();
            return ring.NextBlock();
        }
    }

    /// <summary>A new, empty record in a layer's directory; one that a failed attempt left is overwritten.</summary>
    internal static DescriptorStream CreateRecord(SafeFileHandle layerDirectory)
    {
        const OpenFlags flags = OpenFlags.ReadWrite | OpenFlags.Create | OpenFlags.Truncate | OpenFlags.NoFollow;
        return new DescriptorStream(Libc.OpenAt(layerDirectory, "tar-split.json.gz"u8, flags, 0x180));
    }

    /// <summary>A file without a name, gone when it is closed.</summary>
    internal static DescriptorStream CreateTemporary(SafeFileHandle directory)
    {
        var errno = Libc.TryOpenAt(directory, "."u8, OpenFlags.ReadWrite | OpenFlags.TemporaryFile, 0x180, out var file);
        if (errno is Errno.EOPNOTSUPP or Errno.EISDIR or Errno.EINVAL)   // a file system without nameless files
        {
            var name = ".temporary"u8;
            file = Libc.OpenAt(directory, name, OpenFlags.ReadWrite | OpenFlags.Create | OpenFlags.Exclusive | OpenFlags.NoFollow, 0x180);
            Libc.UnlinkAt(directory, name);
        }
        else if (errno != Errno.None)
        {
            throw Libc.Failure("openat", directory, default, errno, "O_TMPFILE");
        }

        return new DescriptorStream(file);
    }
}
