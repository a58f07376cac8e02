using StorageActors.Protocol;

namespace StorageActors.Store;

/// <summary>What the engine's host says to a store's supervisor, besides <see cref="StoreProtocol"/>.</summary>
internal static class StoreInternal
{
    /// <summary>Answers <see cref="Ready"/> when the store serves, or <see cref="StoreProtocol.Refused"/> when it cannot be opened.</summary>
    internal sealed record WhenReady;

    /// <summary>The store serves.</summary>
    internal sealed record Ready(string Root, string StoreId, string Driver);

    /// <summary>
    /// Ends the store: takes no new work, lets what runs end for as long as the settings say, cancels the rest, releases what actors hold (mounts of
    /// leases that belong to nobody stay), and stops. No answer but the actor's end: then the store belongs to nobody.
    /// </summary>
    internal sealed record Stop;

    /// <summary>A call through one of the host's doors ended; it is counted. No answer.</summary>
    /// <param name="Call">The door and the method.</param>
    /// <param name="Outcome">How it ended.</param>
    /// <param name="Duration">How long it took.</param>
    internal sealed record CallEnded(string Call, string Outcome, TimeSpan Duration);
}
