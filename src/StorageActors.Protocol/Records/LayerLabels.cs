namespace StorageActors.Protocol;

/// <summary>Labels that the store itself understands; they begin with <c>storage-actors/</c>.</summary>
public static class LayerLabels
{
    /// <summary>
    /// A layer with this label is held by a client that mounts it itself, by the steps that the store describes. The value is the name of a lease: which client,
    /// and for what. It lasts as long as the layer, and pins it: nobody else mounts it while it is writable, seals it, or removes it without force. A writable one
    /// is shown among the mounts.
    /// </summary>
    public const string HeldBy = "storage-actors/held-by";

    /// <summary>With any value: the client that holds the layer only reads it.</summary>
    public const string HeldReadOnly = "storage-actors/held-read-only";
}
