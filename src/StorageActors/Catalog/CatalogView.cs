using StorageActors.Journal;
using StorageActors.Protocol;

namespace StorageActors.Catalog;

/// <summary>
/// The catalog as the journal has it now, for readers on any thread: the catalog's actor replaces it after each event that is on disk, and nobody ever
/// waits. What is read from it may be old by the time it is used; what matters is decided by the actor.
/// </summary>
internal sealed class CatalogView
{
    private Moment _moment = new(CatalogState.Empty, null, []);

    internal CatalogState Current => Volatile.Read(ref _moment).State;

    /// <summary>All layers, parents before children; made once for each state that is asked.</summary>
    internal IReadOnlyList<LayerRecord> Layers() => Volatile.Read(ref _moment).Layers();

    /// <summary>For the catalog's actor alone.</summary>
    internal void Publish(CatalogState state) => Volatile.Write(ref _moment, new Moment(state, null, []));

    /// <summary>The same, after these events.</summary>
    internal void Publish(CatalogState state, IReadOnlyList<IJournalEvent> events) => Volatile.Write(ref _moment, _moment.Next(state, events));

    /// <summary>One state, and the list of it, or what it can be made from.</summary>
    /// <param name="state">The state.</param>
    /// <param name="earlier">The list of an earlier state, if one was asked for lately.</param>
    /// <param name="changed">The layers that may be otherwise since.</param>
    private sealed class Moment(CatalogState state, LayerListing? earlier, LayerId[] changed)
    {
        /// <summary>With more than that to change, nobody has asked for the list for long.</summary>
        private const int MaximumChanges = 100;

        private LayerListing? _listing;

        internal CatalogState State => state;

        internal List<LayerRecord> Layers()
        {
            var listing = Volatile.Read(ref _listing);
            if (listing is null)
            {
                listing = earlier?.After(state, changed) ?? LayerListing.Of(state);
                Volatile.Write(ref _listing, listing);
            }

            return listing.Layers;
        }

        internal Moment Next(CatalogState next, IReadOnlyList<IJournalEvent> events)
        {
            var (from, since) = Volatile.Read(ref _listing) is { } listing ? (listing, []) : (earlier, changed);
            if (from is null || since.Length + events.Count > MaximumChanges) return new Moment(next, null, []);
            return new Moment(next, from, [.. since, .. events.Select(CatalogEvent.LayerOf).OfType<LayerId>()]);
        }
    }
}
