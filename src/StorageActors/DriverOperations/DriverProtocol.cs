using StorageActors.Protocol;

namespace StorageActors.DriverOperations;

/// <summary>What the operations' supervisor (<c>/user/storage/drivers</c>) accepts and answers.</summary>
internal static class DriverProtocol
{
    private static long _attempts;

    /// <summary>
    /// A number for the next <see cref="Perform"/>: never given twice in a process, so that a restarted requester cannot take an answer
    /// to its predecessor for its own.
    /// </summary>
    internal static long NextAttempt() => Interlocked.Increment(ref _attempts);

    /// <summary>An answer, with the number of what it answers.</summary>
    internal interface IReply
    {
        /// <summary>The number in the <see cref="Perform"/>.</summary>
        long Attempt { get; }
    }

    /// <summary>
    /// Runs a blocking operation, again and again while it fails transiently. Answers <see cref="Completed{T}"/> or <see cref="Failed"/> to its
    /// sender. The sender's death cancels what can be cancelled.
    /// </summary>
    internal sealed record Perform(long Attempt, DriverOperation Operation);

    /// <summary>Asks a running operation of the same sender to stop; it is then answered as cancelled, unless it was done already.</summary>
    internal sealed record Cancel(long Attempt);

    /// <summary>The operation is done.</summary>
    internal sealed record Completed<T>(long Attempt, T Result) : IReply;

    /// <summary>The operation is given up.</summary>
    internal sealed record Failed(long Attempt, StorageError Error) : IReply;
}

/// <summary>The result of an operation that returns none.</summary>
internal sealed record Nothing
{
    internal static readonly Nothing Instance = new();
}
