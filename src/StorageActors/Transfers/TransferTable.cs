using System.Collections.Concurrent;
using StorageActors.Client;
using StorageActors.Protocol;

namespace StorageActors.Transfers;

/// <summary>
/// The streams between hosts and the engine's threads, by the names that commands carry. A host opens one before it sends the command; the thread
/// that carries the command out claims the other end, once. An entry ends when both ends are closed; one that no command has claimed for
/// <see cref="ClaimTimeout"/> is aborted, so that a host that died in between leaks nothing.
/// </summary>
public sealed class TransferTable : ITransfers, IDisposable
{
    private static readonly TimeSpan SweepPeriod = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<TransferId, Entry> _entries = new();
    private readonly TimeProvider _time;
    private readonly ITimer _sweeper;

    /// <summary>An empty table.</summary>
    /// <param name="time">The clock by which unclaimed streams are swept.</param>
    public TransferTable(TimeProvider time)
    {
        _time = time;
        _sweeper = time.CreateTimer(static table => ((TransferTable)table!).Sweep(), this, SweepPeriod, SweepPeriod);
    }

    /// <summary>How long a stream waits for the command that names it.</summary>
    public static TimeSpan ClaimTimeout { get; } = TimeSpan.FromMinutes(10);

    /// <summary>Streams that are open at one end at least.</summary>
    public int Count => _entries.Count;

    /// <inheritdoc/>
    public OpenTransfer OpenUpload()
    {
        var pipe = Add(isUpload: true);
        var stream = new TransferWriteStream(pipe, CancellationToken.None);
        _entries[pipe.Id] = new Entry(pipe, stream);
        return new OpenTransfer(pipe.Id, stream);
    }

    /// <inheritdoc/>
    public OpenTransfer OpenDownload()
    {
        var pipe = Add(isUpload: false);
        var stream = new TransferReadStream(pipe, CancellationToken.None);
        _entries[pipe.Id] = new Entry(pipe, stream);
        return new OpenTransfer(pipe.Id, stream);
    }

    /// <summary>
    /// Gives up a host's end: of an upload whose bytes do not all come (the engine's thread gets an error, not an end), or of a download that nobody
    /// reads. Nothing happens when it is closed already.
    /// </summary>
    /// <param name="id">The stream.</param>
    /// <param name="reason">Why, in a few words, for the error.</param>
    public void Abort(TransferId id, string reason)
    {
        if (_entries.TryGetValue(id, out var entry)) Abort(entry, reason);
    }

    /// <summary>The engine's end of an upload; disposing it tells the host that nobody reads any more.</summary>
    /// <exception cref="StorageException">Not found: there is none of this name, or a command has it already.</exception>
    internal Stream ClaimUpload(TransferId id, CancellationToken stop) => new TransferReadStream(Claim(id, isUpload: true), stop);

    /// <summary>The engine's end of a download; disposing it is the end of the bytes.</summary>
    /// <exception cref="StorageException">Not found: there is none of this name, or a command has it already.</exception>
    internal TransferWriteStream ClaimDownload(TransferId id, CancellationToken stop) => new(Claim(id, isUpload: false), stop);

    /// <summary>Aborts everything.</summary>
    public void Dispose()
    {
        _sweeper.Dispose();
        foreach (var entry in _entries.Values) Abort(entry, "the engine stops");
    }

    private void Sweep()
    {
        var oldest = _time.GetUtcNow() - ClaimTimeout;
        foreach (var entry in _entries.Values)
        {
            if (entry.Pipe.Opened >= oldest || !entry.Pipe.TryClaim()) continue;
            Abort(entry, $"no command named it within {ClaimTimeout.TotalMinutes:0} minutes");
            EndEngineSide(entry.Pipe);
        }
    }

    private TransferPipe Add(bool isUpload) => new(TransferId.New(), isUpload, _time.GetUtcNow(), pipe => _entries.TryRemove(pipe.Id, out _));

    private TransferPipe Claim(TransferId id, bool isUpload)
    {
        var word = isUpload ? "upload" : "download";
        if (!_entries.TryGetValue(id, out var entry) || entry.Pipe.IsUpload != isUpload)
            throw Unknown(id, $"there is no {word} {id}; open it before sending the command");
        return entry.Pipe.TryClaim() ? entry.Pipe : throw Unknown(id, $"the {word} {id} is used by another command; open one for each");
    }

    private static void Abort(Entry entry, string reason)
    {
        if (entry.Host is TransferWriteStream writer) writer.Abort(Aborted(entry.Pipe, reason));
        else entry.Host.Dispose();
    }

    private static void EndEngineSide(TransferPipe pipe)
    {
        var reason = new IOException($"transfer {pipe.Id}: no command named it");
        if (pipe.IsUpload) pipe.EndReading(reason);
        else pipe.EndWriting(reason);
    }

    private static StorageException Aborted(TransferPipe pipe, string reason) =>
        new(new StorageError(StorageErrorCode.Cancelled, "upload", $"transfer {pipe.Id} ended before all of it was sent: {reason}"));

    private static StorageException Unknown(TransferId id, string what) => new(new StorageError(StorageErrorCode.NotFound, "transfer", what, id.Value));

    private sealed record Entry(TransferPipe Pipe, Stream Host);
}
