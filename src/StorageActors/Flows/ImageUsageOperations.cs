using StorageActors.Drivers;
using StorageActors.DriverOperations;
using StorageActors.Linux;
using StorageActors.Protocol;
using StorageActors.Store;

namespace StorageActors.Flows;

/// <summary>What images take besides their layers: records, documents, kept blobs. Those of several images are one file, and count once in the sum. What goes meanwhile takes nothing.</summary>
internal sealed record MeasureImages(IReadOnlyList<ImageRecord> Images) : DriverOperation<MeasuredImages>
{
    private const int BlockSize = 512; // In which statx(2) counts.

    internal override string Verb => "measure images";

    internal override OperationLane Lane => OperationLane.Content;

    internal override MeasuredImages Execute(DriverServices services, CancellationToken stop)
    {
        var (measured, seen, all) = (new List<MeasuredImage>(Images.Count), new HashSet<ulong>(), 0L);
        foreach (var image in Images)
        {
            stop.ThrowIfCancellationRequested();
            var directory = services.Layout.ImageDirectory(image.Id);
            var (records, blobs) = (0L, 0L);
            foreach (var name in image.BigData.Select(static item => ImageFile.FileNameOf(item.Key)).Prepend(StoreLayout.ImageFileName))
            {
                if (Libc.TryStat(Path.Combine(directory, name), out var file) == Errno.None) records += file.Blocks * BlockSize;
            }

            foreach (var digest in image.Blobs ?? [])
            {
                if (Libc.TryStat(Path.Combine(directory, "blobs", digest.Hex), out var file) != Errno.None) continue;
                blobs += file.Blocks * BlockSize;
                if (seen.Add(file.Inode)) all += file.Blocks * BlockSize;
            }

            measured.Add(new MeasuredImage(records, blobs));
        }

        return new MeasuredImages(measured, seen.Count, all);
    }
}

/// <summary>What images take: each, and their blobs together.</summary>
internal sealed record MeasuredImages(IReadOnlyList<MeasuredImage> Images, int Blobs, long BlobBytes);

/// <summary>What one takes.</summary>
internal sealed record MeasuredImage(long Records, long Blobs);
