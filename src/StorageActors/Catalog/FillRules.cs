using StorageActors.Protocol;
using static StorageActors.Catalog.CatalogInternal;
using static StorageActors.Catalog.LayerRules;

namespace StorageActors.Catalog;

/// <summary>Whether a writable layer may be filled from a tar, or frozen as it is.</summary>
internal static class FillRules
{
    /// <summary>The label of a layer from the beginning of its filling until it is frozen: after a crash nobody can say how far that got.</summary>
    internal const string Mark = "storage-actors/filled";

    internal static bool IsMarked(LayerRecord layer) => layer.Labels.ContainsKey(Mark);

    internal static Decision<Held> TakeForFilling(CatalogState state, Reservations reservations, string holder, LayerId id)
    {
        const string operation = "fill";
        if (Writable(state, operation, id).IsRefused(out var refusal, out var layer)) return refusal;
        if (!IdMap.Of(layer).IsHost())
        {
            return new StorageError(
                StorageErrorCode.Unsupported, operation,
                $"layer {id} is written to with the ids of a container ({IdMap.Of(layer)}), and an archive has its own; fill a layer with host ids, which may be mounted with any map");
        }

        return IsMarked(layer) ? Refusals.WrongState(operation, $"layer {id} was filled already, or half filled; remove it, and fill a new one", StorageErrorReason.AlreadyFilled, id)
            : new Held(reservations.Take(holder, id), [layer]);
    }

    internal static Decision<Held> TakeForFreezing(CatalogState state, Reservations reservations, string holder, TakeForFreezing command)
    {
        const string operation = "freeze";
        if (Writable(state, operation, command.Layer).IsRefused(out var refusal, out var layer)) return refusal;
        if (NameRules.Check(operation, command.Names).IsRefused(out refusal, out var names)) return refusal;
        if (ChainRules.CheckNames(state, reservations, holder, operation, names, layer.Id) is { } conflict) return conflict;
        var held = reservations.Take(holder, layer.Id).Name(holder, names);
        if (command.Parent is not { } below || below == layer.Parent) return new Held(held, [layer]);
        if (layer.Parent is not null) return Refusals.Invalid(operation, $"layer {layer.Id} stands on layer {layer.Parent} and cannot be put on another");
        if (state.FindLayer(below) is not { } parent) return Refusals.NoParent(operation, below);
        if (state.DamageOf(parent) is { } damage) return Refusals.Damaged(operation, parent, damage);
        return parent.Kind == LayerKind.Sealed ? new Held(held.Pin(holder, below), [layer])
            : Refusals.WrongState(operation, $"layer {below} is writable; seal it before layers are put on it", StorageErrorReason.ParentNotSealed, below);
    }

    private static Decision<LayerRecord> Writable(CatalogState state, string operation, LayerId id)
    {
        if (state.FindLayer(id) is not { } layer) return Refusals.NotFound(operation, id);
        if (layer.Kind != LayerKind.Writable) return Refusals.WrongState(operation, $"layer {id} is sealed already", StorageErrorReason.AlreadySealed, id);
        return layer.Damage is { } damage ? Refusals.Damaged(operation, layer, damage) : layer;
    }
}
