using System.IO.Pipelines;
using System.Runtime.ExceptionServices;
using Microsoft.Win32.SafeHandles;
using StorageActors.Archive.Apply;
using StorageActors.Archive.Compression;
using StorageActors.Archive.Tar;
using StorageActors.Archive.TarSplit;
using StorageActors.Linux;

namespace StorageActors.Archive.Diff;

/// <summary>
/// Computes the archive of a layer that was written to, and records its structure, so that the same bytes can be written again. The archive itself goes nowhere:
/// one thread makes it, another takes it apart.
/// </summary>
internal static class SealDiff
{
    private const int Ahead = 8 << 20;

    /// <summary>Records the layer's archive beside its content, durably, and returns what is known of it.</summary>
    /// <param name="layerDirectory">Gets <see cref="ExtractTarget.RecordName"/>.</param>
    /// <param name="write">Writes the archive of the layer's content, which nobody changes meanwhile: a <see cref="NativeDiff"/> or <see cref="NaiveDiff"/>.</param>
    internal static TarSummary Capture(SafeFileHandle layerDirectory, Func<Stream, TarSummary> write)
    {
        var name = ".sealing"u8;
        Libc.TryUnlinkAt(layerDirectory, name);
        var file = Libc.OpenAt(layerDirectory, name, OpenFlags.ReadWrite | OpenFlags.Create | OpenFlags.Exclusive | OpenFlags.NoFollow, 0x180);
        try
        {
            TarSummary summary;
            using (var record = new DescriptorStream(file))
            {
                summary = Record(record, layerDirectory, write);
                Libc.FSync(file);
            }

            Libc.RenameAt2(layerDirectory, name, layerDirectory, System.Text.Encoding.ASCII.GetBytes(ExtractTarget.RecordName));
            Libc.FSync(layerDirectory);
            return summary;
        }
        catch
        {
            file.Dispose();
            Libc.TryUnlinkAt(layerDirectory, name);
            throw;
        }
    }

    private static TarSummary Record(DescriptorStream record, SafeFileHandle layerDirectory, Func<Stream, TarSummary> write)
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: Ahead, resumeWriterThreshold: Ahead / 2, useSynchronizationContext: false));
        TarSummary? summary = null;
        ExceptionDispatchInfo? failure = null;
        var maker = new Thread(() =>
        {
            try
            {
                using var output = pipe.Writer.AsStream(leaveOpen: true);
                summary = write(output);
                pipe.Writer.Complete();
            }
            catch (Exception e)
            {
                failure = ExceptionDispatchInfo.Capture(e);
                pipe.Writer.Complete(e);
            }
        })
        { IsBackground = true, Name = "seal" };
        maker.Start();
        try
        {
            using var archive = pipe.Reader.AsStream();
            using var split = new TarSplitWriter(record, () => LayerExtractor.CreateTemporary(layerDirectory));
            var reader = new TarReader(new StreamBlockSource(archive), sink: split);
            while (reader.MoveNext()) reader.SkipPayload();
            split.Complete();
        }
        catch (Exception) when (failure is not null)
        {
            failure.Throw(); // The reader met the maker's failure.
        }
        finally
        {
            maker.Join();
        }

        failure?.Throw();
        return summary!;
    }
}
