using StorageActors.Protocol;

namespace StorageActors.Catalog;

/// <summary>Layers that a client holds for as long as they live (<see cref="LayerLabels.HeldBy"/>): what that keeps others from, and how it is shown.</summary>
internal static class ClientHolds
{
    private const string Owner = "client";

    /// <summary>Who holds the layer; null when nobody does.</summary>
    internal static string? HolderOf(LayerRecord layer) => layer.Labels.GetValueOrDefault(LayerLabels.HeldBy);

    /// <summary>Why the layer is not to be removed; null when it may be.</summary>
    internal static StorageError? CheckRemoval(LayerRecord layer, bool force, string? remover) =>
        HolderOf(layer) is { } holder && !force && holder != remover
            ? Refusals.InUse("remove", $"layer {layer.Id} is held by {NameRules.Printable(holder)}; remove it there, or remove it with force", StorageErrorReason.LayerHeldByClient, layer.Id) : null;

    /// <summary>Why nobody else may write to the layer, or seal it; null when somebody may.</summary>
    internal static StorageError? CheckUse(string operation, LayerRecord layer) =>
        layer.Kind == LayerKind.Writable && HolderOf(layer) is { } holder
            ? Refusals.InUse(operation, $"layer {layer.Id} is mounted by its holder {NameRules.Printable(holder)}, and cannot be used by others meanwhile", StorageErrorReason.LayerHeldByClient, layer.Id) : null;

    /// <summary>The writable ones, as mounts that others made.</summary>
    internal static IEnumerable<MountRecord> Show(IEnumerable<LayerRecord> layers) =>
        from layer in layers
        where layer.Kind == LayerKind.Writable
        let holder = HolderOf(layer)
        where holder is not null && IsLease(holder)
        let mode = layer.Labels.ContainsKey(LayerLabels.HeldReadOnly) ? MountMode.ReadOnly : MountMode.ReadWrite
        select new MountRecord(layer.Id, "", mode, [new LeaseRecord(LeaseId.Parse(holder), Owner, layer.Created)]);

    private static bool IsLease(string text)
    {
        try
        {
            LeaseId.Parse(text);
            return true;
        }
        catch (FormatException)
        {
            return false; // A label is any text.
        }
    }
}
