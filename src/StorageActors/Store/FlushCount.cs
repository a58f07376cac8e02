namespace StorageActors.Store;

/// <summary>
/// Counts the answers to a flush. Those to one that was given up, or followed by another, are late: they say nothing of what has happened since, so that none of them counts.
/// </summary>
internal sealed class FlushCount
{
    private int _left;

    /// <summary>Which flush it is; goes with the question and comes back with the answer.</summary>
    internal int Number { get; private set; }

    /// <summary>Begins the next flush.</summary>
    /// <param name="parts">How many are going to answer.</param>
    internal void Begin(int parts) => (Number, _left) = (Number + 1, parts);

    /// <summary>Waits no longer for the answers that are missing.</summary>
    internal void GiveUp() => Begin(0);

    /// <summary>Whether that was the last answer that was waited for.</summary>
    /// <param name="number">The number that came with it.</param>
    internal bool IsLast(int number) => number == Number && --_left == 0;
}
