using StorageActors.Protocol;
using static StorageActors.Catalog.CatalogInternal;

namespace StorageActors.Catalog;

/// <summary>Whether a chain of layers may be made, and what of it need not be.</summary>
internal static class ChainRules
{
    /// <summary>A chain that may be made: what is to be done, and what is held for it.</summary>
    internal sealed record Reserved(Reservations Reservations, ChainReserved Answer);

    /// <summary>What a claim led to.</summary>
    internal sealed record Claimed(Reservations Reservations, PlannedLayer Plan);

    internal static Decision<Reserved> Reserve(CatalogState state, Reservations reservations, string holder, ReserveChain command, Func<LayerId> newId)
    {
        if (CheckParent(state, command, out var parent) is { } wrongParent) return wrongParent;
        if (CheckRequest(command) is { } wrongRequest) return wrongRequest;

        var plans = command.Reuse ? PlanReuse(state, reservations, command, parent) : [];
        var made = reservations;
        if (parent is not null) made = made.Pin(holder, parent.Id);
        var below = plans.Count > 0 ? plans[^1].Id : command.Parent;
        for (var index = plans.Count; index < command.Layers.Count; index++)
        {
            var layer = command.Layers[index].Id ?? newId();
            if (CheckId(state, made, command.Operation, layer) is { } taken) return taken;
            made = made.Make(holder, layer);
            if (command.Reuse && ChainAt(command, parent, index) is { } chain) made = made.ClaimFor(layer, chain, below);
            plans.Add(new PlannedLayer(Plan.Make, layer));
            below = layer;
        }

        for (var index = 0; index < plans.Count; index++)
        {
            var plan = plans[index];
            if (plan.Plan == Plan.Take) made = made.Pin(holder, plan.Id);
            var names = command.Layers[index].Names.Where(name => !IsOnItsWay(reservations, plan, name)).ToList();
            if (CheckNames(state, made, holder, command.Operation, names, plan.Id) is { } conflict) return conflict;
            made = made.Name(holder, names);
        }

        return new Reserved(made, new ChainReserved(parent, plans));
    }

    /// <summary>
    /// The same decision for one layer whose content is known now. Until then the layer may have been reserved for somebody who gave up: then it is the
    /// claimer's.
    /// </summary>
    internal static Decision<Claimed> Claim(CatalogState state, Reservations reservations, string holder, ClaimChain claim)
    {
        if (state.FindChain(claim.ChainId).FirstOrDefault(layer => layer.Parent == claim.Parent && state.DamageOf(layer) is null
            && (layer.AdditionalStore is null || (!claim.IsLabelled && !reservations.HasNames(holder)))) is { } known)
            return new Claimed(reservations.Made(claim.Layer).Pin(holder, known.Id), new PlannedLayer(Plan.Take, known.Id, known));
        if (reservations.FindClaim(claim.ChainId, claim.Parent) is { } other && reservations.MakerOf(other) != holder)
            return new Claimed(reservations.Made(claim.Layer), new PlannedLayer(Plan.Await, other));
        if (reservations.MakerOf(claim.Layer) != holder && CheckId(state, reservations, claim.Operation, claim.Layer) is { } taken) return taken;
        return new Claimed(
            reservations.Make(holder, claim.Layer).ClaimFor(claim.Layer, claim.ChainId, claim.Parent), new PlannedLayer(Plan.Make, claim.Layer));
    }

    /// <summary>Whether names may be given to a layer: nobody else has them, or will.</summary>
    internal static StorageError? CheckNames(
        CatalogState state, Reservations reservations, string holder, string operation, IReadOnlyList<string> names, LayerId layer)
    {
        foreach (var name in names)
        {
            if (state.FindLayerName(name) is { } owner && owner != layer)
                return Refusals.Exists(operation, $"layer {owner} has the name {name}; take another name, or move it first", StorageErrorReason.DuplicateLayerName, owner);
            if (reservations.HolderOf(name) is { } other && other != holder)
                return Refusals.Exists(operation, $"the name {name} is about to be given to another layer", StorageErrorReason.DuplicateLayerName);
        }

        return null;
    }

    private static StorageError? CheckParent(CatalogState state, ReserveChain command, out LayerRecord? parent)
    {
        parent = command.Parent is { } id ? state.FindLayer(id) : null;
        if (command.Parent is null) return null;
        if (parent is null) return Refusals.NoParent(command.Operation, command.Parent.Value);
        if (state.DamageOf(parent) is { } damage) return Refusals.Damaged(command.Operation, parent, damage);
        return parent.Kind == LayerKind.Sealed ? null
            : Refusals.WrongState(command.Operation, $"layer {parent.Id} is writable; seal it before layers are made on it", StorageErrorReason.ParentNotSealed, parent.Id);
    }

    private static StorageError? CheckRequest(ReserveChain command)
    {
        if (command.Layers.Count == 0) return Refusals.Invalid(command.Operation, "the chain has no layers");
        var ids = command.Layers.Where(static layer => layer.Id is not null).Select(static layer => layer.Id!.Value).ToList();
        if (ids.Distinct().Count() < ids.Count) return Refusals.Invalid(command.Operation, "two layers of the chain have the same id");
        foreach (var layer in command.Layers)
        {
            if (NameRules.Check(command.Operation, layer.Names).Refusal is { } wrong) return wrong;
        }

        var names = command.Layers.SelectMany(static layer => layer.Names.Distinct(StringComparer.Ordinal)).ToList();
        return names.Distinct(StringComparer.Ordinal).Count() < names.Count
            ? Refusals.Invalid(command.Operation, "two layers of the chain have the same name") : null;
    }

    private static StorageError? CheckId(CatalogState state, Reservations reservations, string operation, LayerId layer)
    {
        if (state.FindLayer(layer) is not null) return Refusals.Exists(operation, $"layer {layer} exists already", StorageErrorReason.DuplicateId, layer);
        return reservations.MakerOf(layer) is null ? null : Refusals.Exists(operation, $"layer {layer} is being made already", StorageErrorReason.DuplicateId, layer);
    }

    /// <summary>The longest part of the chain that is there on this very parent, then what others are making on top of that.</summary>
    private static List<PlannedLayer> PlanReuse(CatalogState state, Reservations reservations, ReserveChain command, LayerRecord? parent)
    {
        var plans = new List<PlannedLayer>();
        for (var index = command.Layers.Count - 1; index >= 0 && plans.Count == 0; index--)
        {
            if (ChainAt(command, parent, index) is not { } chain) continue;
            foreach (var top in state.FindChain(chain))
            {
                if (Descend(state, top, index + 1, command.Parent) is not { } found) continue;
                // What lies elsewhere takes no names and labels: who wants some gets a copy of his own.
                if (found.Where((layer, at) => layer.AdditionalStore is not null && (command.Layers[at].Names.Count > 0 || command.Layers[at].IsLabelled)).Any()) continue;
                plans.AddRange(found.Select(static layer => new PlannedLayer(Plan.Take, layer.Id, layer)));
                break;
            }
        }

        var below = plans.Count > 0 ? plans[^1].Id : command.Parent;
        for (var index = plans.Count; index < command.Layers.Count; index++)
        {
            if (ChainAt(command, parent, index) is not { } chain || reservations.FindClaim(chain, below) is not { } other) break;
            plans.Add(new PlannedLayer(Plan.Await, other));
            below = other;
        }

        return plans;
    }

    /// <summary>So many layers down from the top, base first, if what is below them is the parent; and all of them sound.</summary>
    private static List<LayerRecord>? Descend(CatalogState state, LayerRecord top, int count, LayerId? parent)
    {
        if (top.AdditionalStore is not null && state.DamageOf(top) is not null) return null;
        var found = new List<LayerRecord>(count);
        for (LayerRecord? layer = top; found.Count < count; layer = layer.Parent is { } below ? state.FindLayer(below) : null)
        {
            if (layer is null || layer.Damage is not null) return null;
            found.Insert(0, layer);
        }

        return found[0].Parent == parent ? found : null;
    }

    /// <summary>The ChainID that a layer of the chain will have, if all below it is known.</summary>
    private static Digest? ChainAt(ReserveChain command, LayerRecord? parent, int index)
    {
        var chain = parent?.ChainId;
        if (parent is not null && chain is null) return null;
        for (var at = 0; at <= index; at++)
        {
            if (command.Layers[at].DiffId is not { } diff) return null;
            chain = Digest.Chain(chain, diff);
        }

        return chain;
    }

    /// <summary>Whether the name is one that the maker of the awaited layer gives to it.</summary>
    private static bool IsOnItsWay(Reservations reservations, PlannedLayer plan, string name) =>
        plan.Plan == Plan.Await && reservations.HolderOf(name) is { } holder && holder == reservations.MakerOf(plan.Id);
}
