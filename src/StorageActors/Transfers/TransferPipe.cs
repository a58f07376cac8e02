using System.IO.Pipelines;
using StorageActors.Protocol;

namespace StorageActors.Transfers;

/// <summary>
/// One stream through memory, with back-pressure: a writer that is ahead by <see cref="Window"/> waits. One end belongs to a host, which is
/// asynchronous, the other to a thread of the engine, which blocks. An end that is given up wakes the other with the reason.
/// </summary>
internal sealed class TransferPipe(TransferId id, bool isUpload, DateTimeOffset opened, Action<TransferPipe> closed)
{
    private const int Window = 1024 * 1024;
    private const int Segment = 64 * 1024;

    /// <summary>The engine's thread waits on an event, which the other side sets in passing; the host's continuations go to the pool.</summary>
    private readonly Pipe _pipe = new(new PipeOptions(
        readerScheduler: isUpload ? PipeScheduler.Inline : PipeScheduler.ThreadPool,
        writerScheduler: isUpload ? PipeScheduler.ThreadPool : PipeScheduler.Inline,
        pauseWriterThreshold: Window,
        resumeWriterThreshold: Window / 2,
        minimumSegmentSize: Segment,
        useSynchronizationContext: false));

    private int _claimed;
    private int _ends = 2;
    private Exception? _gone;

    internal TransferId Id { get; } = id;

    internal bool IsUpload { get; } = isUpload;

    internal DateTimeOffset Opened { get; } = opened;

    /// <summary>Whether a command has named it.</summary>
    internal bool IsClaimed => Volatile.Read(ref _claimed) != 0;

    internal PipeReader Reader => _pipe.Reader;

    internal PipeWriter Writer => _pipe.Writer;

    /// <summary>Why the other end was given up, if it was.</summary>
    internal Exception? Gone => Volatile.Read(ref _gone);

    /// <summary>True for the first command that names it.</summary>
    internal bool TryClaim() => Interlocked.Exchange(ref _claimed, 1) == 0;

    /// <summary>The writer is done; with a reason it gave up, and the reader gets that instead of an end.</summary>
    internal void EndWriting(Exception? reason = null)
    {
        _pipe.Writer.Complete(reason);
        EndOne();
    }

    /// <summary>The reader is done; if the writer is not, its next write fails with the reason.</summary>
    internal void EndReading(Exception? reason = null)
    {
        Interlocked.CompareExchange(ref _gone, reason, null);
        _pipe.Reader.Complete(reason);
        EndOne();
    }

    private void EndOne()
    {
        if (Interlocked.Decrement(ref _ends) == 0) closed(this);
    }
}
