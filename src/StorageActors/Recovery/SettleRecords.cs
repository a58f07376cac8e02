using Microsoft.Win32.SafeHandles;
using StorageActors.DriverOperations;
using StorageActors.Drivers;
using StorageActors.Linux;
using StorageActors.Protocol;
using StorageActors.Store;

namespace StorageActors.Recovery;

/// <summary>
/// After a crash: writes again, from the journal, each record that a change had not reached yet, and removes the temporary files of replacements that were cut
/// short. What cannot be put right is left to a check, or to the next start, so that the store starts.
/// </summary>
internal sealed record SettleRecords(IReadOnlyList<LayerRecord> Layers, IReadOnlyList<ImageRecord> Images) : DriverOperation<SettledRecords>
{
    internal override string Verb => "settle records";

    internal override OperationLane Lane => OperationLane.Content;

    internal override SettledRecords Execute(DriverServices services, CancellationToken stop)
    {
        var (layout, done, isWhole) = (services.Layout, new List<string>(), true);
        foreach (var layer in Layers)
        {
            stop.ThrowIfCancellationRequested();
            var directory = layout.LayerDirectory(layer.Id);
            isWhole &= Try(directory, done, () => RecordComparison.IsSame(layer, LayerFile.Read(directory, layer.Id)), () => LayerFile.Write(directory, layer with { Damage = null }),
                () => LayerDocuments.Settle(directory, layer, sweep: true));
        }

        foreach (var image in Images)
        {
            stop.ThrowIfCancellationRequested();
            isWhole &= Try(layout.ImageDirectory(image.Id), done, () => RecordComparison.IsSame(image, ImageFile.Read(layout, image.Id)), () => ImageFile.Replace(layout, image));
        }

        return new SettledRecords(done, isWhole);
    }

    /// <summary>False for what may go better at the next start: a disk that is full, or failed for a moment.</summary>
    private static bool Try(string path, List<string> done, Func<bool> isSame, Action write, Action? settle = null)
    {
        try
        {
            if (Libc.TryStat(path, out _) == Errno.ENOENT) return true; // That was said before.
            using (var directory = Libc.OpenDirectory(path)) RemoveTemporaries(directory);
            if (!IsSame(isSame))
            {
                write();
                done.Add($"the record in {path} was older than the journal: written again");
            }

            settle?.Invoke();
            return true;
        }
        catch (Exception e) when (e is DriverException or LinuxException)
        {
            done.Add($"the record in {path} could not be settled: {e.Message}");
            return e is PermanentDriverException { Error.Code: not (StorageErrorCode.NoSpace or StorageErrorCode.Io) } or StoreCorruptException;
        }
    }

    /// <summary>One that cannot be read is not the same.</summary>
    private static bool IsSame(Func<bool> compare)
    {
        try
        {
            return compare();
        }
        catch (DriverException)
        {
            return false;
        }
    }

    /// <summary>Nobody writes now: whatever has the name of a temporary file was left by a crash.</summary>
    private static void RemoveTemporaries(SafeFileHandle directory)
    {
        List<byte[]>? left = null;
        using (var reader = new DirectoryReader(directory))
        {
            while (reader.TryRead(out var entry))
            {
                if (IsTemporary(entry.Name)) (left ??= []).Add(entry.Name.ToArray());
            }
        }

        foreach (var name in left ?? []) Libc.TryUnlinkAt(directory, name);
    }

    /// <summary>Beside a layer's content and an image's documents no name begins with a dot but those of files that are being written.</summary>
    private static bool IsTemporary(ReadOnlySpan<byte> name) => name.StartsWith("."u8);
}

/// <summary>What came of it.</summary>
/// <param name="Done">A line for each thing done, and for each that could not be.</param>
/// <param name="IsWhole">Whether another try would change nothing.</param>
internal sealed record SettledRecords(IReadOnlyList<string> Done, bool IsWhole);
