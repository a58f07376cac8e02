using StorageActors.Drivers;
using StorageActors.Protocol;

namespace StorageActors.Store;

/// <summary>
/// Where everything of a store lies: disk format 1. Paths only; nothing here touches the disk.
/// <code>
/// format.json  owner.lock  store.lock  journal.db
/// &lt;driver&gt;/&lt;layer&gt;/       one layer, one rename: layer.json, diff/, tar-split.json.gz, what the driver adds
/// staging/&lt;ticket&gt;/lock  owner-held; who can take it knows that the owner is dead
/// staging/&lt;ticket&gt;/layer/ the shape of a layer directory
/// trash/&lt;ticket&gt;/        renamed away, deleted later
/// images/&lt;image&gt;/        image.json and documents
/// </code>
/// </summary>
internal sealed class StoreLayout(string root, string driver)
{
    internal const string LayerFileName = "layer.json";
    internal const string ImageFileName = "image.json";
    internal const string StagedLayerName = "layer";
    internal const string StagingLockName = "lock";

    /// <summary>Absolute, without a slash at the end.</summary>
    internal string Root { get; } = Path.TrimEndingDirectorySeparator(Path.GetFullPath(root));

    internal string Driver { get; } = driver;

    internal string FormatFile => FormatFileOf(Root);

    internal string OwnerLock => OwnerLockOf(Root);

    internal string StoreLock => Path.Combine(Root, "store.lock");

    internal string Journal => Path.Combine(Root, "journal.db");

    internal string DriverHome => Path.Combine(Root, Driver);

    internal string StagingHome => Path.Combine(Root, "staging");

    internal string TrashHome => Path.Combine(Root, "trash");

    internal string ImageHome => Path.Combine(Root, "images");

    /// <summary>Known before the driver is, since it names the driver.</summary>
    internal static string FormatFileOf(string root) => Path.Combine(root, "format.json");

    /// <summary>Taken before anything else is looked at.</summary>
    internal static string OwnerLockOf(string root) => Path.Combine(root, "owner.lock");

    internal string LayerDirectory(LayerId layer) => Path.Combine(DriverHome, layer.Value);

    /// <summary>The same of an additional store; this one when there is no such store to be asked.</summary>
    internal StoreLayout Of(string? additionalStore) => additionalStore is null ? this : new StoreLayout(additionalStore, Driver);

    internal LayerLocation Locate(LayerId layer) => new(layer, LayerDirectory(layer));

    /// <summary>The same with what its record says of the owners in it.</summary>
    internal LayerLocation Locate(LayerRecord layer) => Locate(layer.Id) with { Ids = IdMap.Of(layer) };

    internal string StagingDirectory(TicketId ticket) => Path.Combine(StagingHome, ticket.Value);

    internal string StagingLock(TicketId ticket) => Path.Combine(StagingDirectory(ticket), StagingLockName);

    internal string StagedLayer(TicketId ticket) => Path.Combine(StagingDirectory(ticket), StagedLayerName);

    /// <summary>A name in the trash that nothing else has: what it was, then something random.</summary>
    internal string NewTrashDirectory(string was) => Path.Combine(TrashHome, $"{was}.{TicketId.New().Value[..12]}");

    internal string ImageDirectory(ImageId image) => Path.Combine(ImageHome, image.Value);

    internal string NewImageDirectory(ImageId image) => Path.Combine(ImageHome, $".new-{image.Value[..12]}-{TicketId.New().Value[..12]}");
}
