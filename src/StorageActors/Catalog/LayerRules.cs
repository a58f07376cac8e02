using StorageActors.Journal;
using StorageActors.Protocol;

namespace StorageActors.Catalog;

/// <summary>Whether a layer may be removed, sealed, named or kept.</summary>
internal static class LayerRules
{
    /// <summary>A change of what is held, and the layers that it is about.</summary>
    internal sealed record Held(Reservations Reservations, IReadOnlyList<LayerRecord> Layers);

    /// <summary>Events to be journaled.</summary>
    internal sealed record Changed(IReadOnlyList<IJournalEvent> Events);

    internal static Decision<Held> TakeForRemoval(CatalogState state, Reservations reservations, string holder, CatalogInternal.TakeForRemoval command)
    {
        const string operation = "remove";
        var id = command.Layer;
        if (state.FindLayer(id) is not { } layer) return Refusals.NotFound(operation, id);
        if (Refusals.Elsewhere(operation, layer) is { } elsewhere) return elsewhere;
        if (ClientHolds.CheckRemoval(layer, command.Force, command.HeldBy) is { } held) return held;
        if (state.ChildrenOf(id) is { Count: > 0 } children) return Refusals.InUse(operation, $"layer {id} has children: {Refusals.Some(children)}; remove them first", StorageErrorReason.LayerHasChildren, id);
        if (state.ImagesOf(id) is { Count: > 0 } images) return Refusals.InUse(operation, $"layer {id} is part of images: {Refusals.Some(images)}; remove them first", StorageErrorReason.LayerUsedByImage, id);
        return reservations.IsPinnedByOther(id, holder)
            ? Refusals.InUse(operation, $"a running command uses layer {id}; try again when it is done", StorageErrorReason.LayerUsedByCommand, id) : new Held(reservations.Take(holder, id), [layer]);
    }

    internal static Decision<Held> TakeForSealing(CatalogState state, Reservations reservations, string holder, CatalogInternal.TakeForSealing command)
    {
        const string operation = "seal";
        var id = command.Layer;
        if (state.FindLayer(id) is not { } layer) return Refusals.NotFound(operation, id);
        if (Refusals.Elsewhere(operation, layer) is { } elsewhere) return elsewhere;
        if (layer.Kind != LayerKind.Writable && layer.DiffId is not null) return Refusals.WrongState(operation, $"layer {id} is sealed already", StorageErrorReason.AlreadySealed, id);
        if (FillRules.IsMarked(layer)) return Refusals.WrongState(operation, $"layer {id} was filled from a tar; freeze it, or remove it if that ended half-way", StorageErrorReason.AlreadyFilled, id);
        if (state.DamageOf(layer) is { } damage) return Refusals.Damaged(operation, layer, damage);
        if (ClientHolds.CheckUse(operation, layer) is { } held) return held;
        if (NameRules.Check(operation, command.Names).IsRefused(out var refusal, out var sorted)) return refusal;
        if (NameRules.CheckLabels(operation, command.Labels) is { } wrong) return wrong;
        return ChainRules.CheckNames(state, reservations, holder, operation, sorted, id) is { } conflict
            ? conflict : new Held(reservations.Take(holder, id).Name(holder, sorted), [layer]);
    }

    internal static Decision<Held> Pin(CatalogState state, Reservations reservations, string holder, string operation, IReadOnlyList<LayerId> ids)
    {
        var layers = new List<LayerRecord>(ids.Count);
        foreach (var id in ids)
        {
            if (state.FindLayer(id) is not { } layer) return Refusals.NotFound(operation, id);
            layers.Add(layer);
            reservations = reservations.Pin(holder, id);
        }

        return new Held(reservations, layers);
    }

    internal static Decision<Changed> ChangeNames(CatalogState state, Reservations reservations, LayerId id, CatalogProtocol.ChangeNames command)
    {
        const string operation = "name";
        if (state.FindLayer(id) is not { } layer) return Refusals.NotFound(operation, id);
        if (Refusals.Elsewhere(operation, layer) is { } elsewhere) return elsewhere;
        if (NameRules.Check(operation, command.Add).IsRefused(out var refusal, out var add)) return refusal;
        if (command.Remove.FirstOrDefault(name => !layer.Names.Contains(name, StringComparer.Ordinal)) is { } absent)
            return Refusals.NotFound(operation, $"layer {id} has no name {NameRules.Printable(absent)}", StorageErrorReason.UnknownName, id);
        var events = new List<IJournalEvent>();
        foreach (var group in add.GroupBy(state.FindLayerName).Where(group => group.Key is { } owner && owner != id))
        {
            if (!command.Steal) return Refusals.Exists(operation, $"layer {group.Key} has the name {group.First()}; take another name, or steal it", StorageErrorReason.DuplicateLayerName, group.Key);
            events.Add(new CatalogEvent.LayerNamed(group.Key!.Value, Without(state.FindLayer(group.Key.Value)!.Names, group)));
        }

        if (add.FirstOrDefault(name => reservations.HolderOf(name) is not null) is { } reserved)
            return Refusals.Exists(operation, $"the name {reserved} is about to be given to another layer", StorageErrorReason.DuplicateLayerName);
        var names = NameRules.Sorted(Without(layer.Names, command.Remove).Concat(add));
        if (!names.SequenceEqual(layer.Names, StringComparer.Ordinal)) events.Add(new CatalogEvent.LayerNamed(id, names));
        return new Changed(events);
    }

    /// <summary>The event that adds names to a layer; none when it has them. A name that another layer has is left where it is.</summary>
    internal static IEnumerable<IJournalEvent> GiveNames(CatalogState state, LayerId id, IReadOnlyList<string> names)
    {
        if (state.FindOwn(id) is not { } layer) yield break;
        var free = names.Where(name => state.FindLayerName(name) is not { } owner || owner == id);
        var all = NameRules.Sorted(layer.Names.Concat(free));
        if (!all.SequenceEqual(layer.Names, StringComparer.Ordinal)) yield return new CatalogEvent.LayerNamed(id, all);
    }

    internal static string[] Without(IEnumerable<string> names, IEnumerable<string> removed) => [.. names.Except(removed, StringComparer.Ordinal)];
}
