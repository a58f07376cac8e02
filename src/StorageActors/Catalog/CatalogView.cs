using StorageActors.Protocol;

namespace StorageActors.Catalog;

/// <summary>
/// The catalog as the journal has it now, for readers on any thread: the catalog's actor replaces it after each event that is on disk, and nobody ever
/// waits. What is read from it may be old by the time it is used; what matters is decided by the actor.
/// </summary>
internal sealed class CatalogView
{
    private CatalogState _current = CatalogState.Empty;
    private Listing? _listing;

    internal CatalogState Current => Volatile.Read(ref _current);

    /// <summary>All layers, parents before children; made once for each state that is asked.</summary>
    internal IReadOnlyList<LayerRecord> Layers()
    {
        var current = Current;
        var listing = Volatile.Read(ref _listing);
        if (listing is null || !ReferenceEquals(listing.State, current))
        {
            listing = new Listing(current, current.ListLayers());
            Volatile.Write(ref _listing, listing);
        }

        return listing.Layers;
    }

    /// <summary>For the catalog's actor alone.</summary>
    internal void Publish(CatalogState state) => Volatile.Write(ref _current, state);

    private sealed record Listing(CatalogState State, IReadOnlyList<LayerRecord> Layers);
}
