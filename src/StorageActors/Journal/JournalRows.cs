using System.Runtime.Serialization;
using System.Text.Json;

namespace StorageActors.Journal;

/// <summary>
/// What a row of the journal holds: an event as JSON (a large snapshot: packed) under a short fixed name with a version, so that types may be renamed and moved without losing old
/// rows. A change that old rows do not fit gets a new version here, and the old one is read for ever. Knows nothing of Akka: readers of other processes
/// use it, too.
/// </summary>
internal static class JournalRows
{
    /// <summary>In every row of every store: never to be changed, never to be used for another serializer.</summary>
    internal const int SerializerId = 53_014_001;

    /// <summary>Names with those that were given now: who does not know them would lose them from the history, so older versions are to refuse the row.</summary>
    private const string NamesGiven = "image-named-2";

    private static readonly (string Manifest, Type Type)[] Kinds =
    [
        ("layer-committed-1", typeof(CatalogEvent.LayerCommitted)),
        ("layer-sealed-1", typeof(CatalogEvent.LayerSealed)),
        ("layer-removed-1", typeof(CatalogEvent.LayerRemoved)),
        ("layer-named-1", typeof(CatalogEvent.LayerNamed)),
        ("layer-labelled-1", typeof(CatalogEvent.LayerLabelled)),
        ("layer-documented-1", typeof(CatalogEvent.LayerDocumented)),
        ("layer-damaged-1", typeof(CatalogEvent.LayerDamaged)),
        ("layer-healed-1", typeof(CatalogEvent.LayerHealed)),
        ("image-put-1", typeof(CatalogEvent.ImagePut)),
        ("image-named-1", typeof(CatalogEvent.ImageNamed)),
        (NamesGiven, typeof(CatalogEvent.ImageNamed)),
        ("image-labelled-1", typeof(CatalogEvent.ImageLabelled)),
        ("image-removed-1", typeof(CatalogEvent.ImageRemoved)),
        ("catalog-1", typeof(CatalogEvent.Snapshot)),
        (FormerPackedSnapshot.Second, typeof(CatalogEvent.Snapshot)),
        (FormerPackedSnapshot.Third, typeof(CatalogEvent.Snapshot)),
        (PackedSnapshot.Manifest, typeof(CatalogEvent.Snapshot)),
        ("lease-granted-1", typeof(LeaseEvent.Granted)),
        ("lease-released-1", typeof(LeaseEvent.Released)),
        ("leases-cleared-1", typeof(LeaseEvent.Cleared)),
        ("leases-1", typeof(LeaseEvent.Snapshot)),
    ];

    /// <summary>All names that rows may have.</summary>
    internal static IEnumerable<string> KnownManifests => Array.ConvertAll(Kinds, static kind => kind.Manifest);

    /// <summary>The name under which an event is kept; null for what is none.</summary>
    internal static string? ManifestOf(object happened)
    {
        if (happened is CatalogEvent.ImageNamed { Given: not null }) return NamesGiven;
        if (IsPacked(happened)) return PackedSnapshot.Manifest;
        var type = happened.GetType();
        foreach (var kind in Kinds)
        {
            if (kind.Type == type) return kind.Manifest;
        }

        return null;
    }

    /// <summary>The row's bytes.</summary>
    internal static byte[] Write(object happened) =>
        IsPacked(happened) ? PackedSnapshot.Write((CatalogEvent.Snapshot)happened) : JsonSerializer.SerializeToUtf8Bytes(happened, JournalJson.TypeOf(happened.GetType()));

    /// <summary>The event of a row.</summary>
    /// <param name="bytes">The row; the event's from now on, and never changed.</param>
    /// <param name="manifest">Its name.</param>
    /// <exception cref="SerializationException">This version does not know the name, or the bytes are not what it writes.</exception>
    internal static IJournalEvent Read(byte[] bytes, string manifest)
    {
        try
        {
            if (manifest == PackedSnapshot.Manifest) return PackedSnapshot.Read(bytes);
            if (manifest is FormerPackedSnapshot.Second or FormerPackedSnapshot.Third) return FormerPackedSnapshot.Read(bytes, manifest);
            if (CatalogEventJson.TryRead(bytes, manifest) is { } happened) return happened;
            if (TypeOf(manifest) is not { } type)
                throw new SerializationException($"the journal has a \"{manifest}\", which this version does not know; open the store with the version that wrote it");
            return (IJournalEvent?)JsonSerializer.Deserialize(bytes, JournalJson.TypeOf(type)) ?? throw new SerializationException($"the journal has an empty \"{manifest}\"");
        }
        catch (Exception e) when (e is JsonException or FormatException)
        {
            throw new SerializationException($"the journal has a \"{manifest}\" that cannot be read: {e.Message}", e);
        }
    }

    private static bool IsPacked(object happened) => happened is CatalogEvent.Snapshot { IsPacked: true };

    private static Type? TypeOf(string manifest)
    {
        foreach (var kind in Kinds)
        {
            if (kind.Manifest == manifest) return kind.Type;
        }

        return null;
    }
}
