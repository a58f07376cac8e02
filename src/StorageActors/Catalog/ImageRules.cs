using StorageActors.Journal;
using StorageActors.Protocol;

namespace StorageActors.Catalog;

/// <summary>Whether an image may be put or named, and which layers go with one that is removed.</summary>
internal static class ImageRules
{
    /// <summary>Whether an image may be put over what is there; run before its files are made, with its id taken.</summary>
    internal static StorageError? CheckPut(CatalogState state, CatalogProtocol.PutImage command)
    {
        const string operation = "put image";
        if (NameRules.Check(operation, command.Names).Refusal is { } wrongName) return wrongName;
        if (NameRules.Check(operation, command.NamesHistory).Refusal is { } wrongHistory) return wrongHistory;
        if (command.NamesHistory?.Count > NameHistory.Longest) return Refusals.Invalid(operation, $"a history of names has at most {NameHistory.Longest}, not {command.NamesHistory.Count}");
        if (NameRules.CheckLabels(operation, command.Labels) is { } wrongLabel) return wrongLabel;
        if (NameRules.CheckDocuments(operation, command.Documents) is { } wrongDocument) return wrongDocument;
        LayerId? below = null;
        foreach (var id in command.Layers)
        {
            if (state.FindLayer(id) is not { } layer) return Refusals.NotFound(operation, id);
            if (layer is not { Kind: LayerKind.Sealed, DiffId: not null }) return Refusals.WrongState(operation, $"layer {id} has no digest yet; seal it first", StorageErrorReason.NotSealed, id);
            if ((layer.AdditionalStore is null ? layer.Damage : state.DamageOf(layer)) is { } damage) return Refusals.Damaged(operation, layer, damage);
            if (layer.Parent != below)
                return Refusals.Invalid(operation, $"the parent of layer {id} is {layer.Parent?.Value ?? "none"}, not {below?.Value ?? "none"}; list the layers base first");
            below = id;
        }

        return state.FindOwn(command.Id) is { } known && !known.Layers.SequenceEqual(command.Layers)
            ? Refusals.Exists(operation, $"image {command.Id} exists with other layers; remove it first", StorageErrorReason.DuplicateId, image: command.Id) : null;
    }

    /// <summary>The record that an image has after it was put: what it has already stays.</summary>
    internal static ImageRecord Merge(CatalogProtocol.PutImage command, ImageRecord? known, DateTimeOffset now)
    {
        var documents = new SortedDictionary<string, BigDataItem>(StringComparer.Ordinal);
        foreach (var item in known?.BigData ?? []) documents[item.Key] = item;
        foreach (var document in command.Documents) documents[document.Key] = new BigDataItem(document.Key, document.Content.Length, Digest.Of(document.Content));
        var none = new Dictionary<string, string>(StringComparer.Ordinal);
        var labels = LabelRules.Merge(known?.Labels ?? none, command.Labels ?? none);
        var blobs = (known?.Blobs ?? []).Concat((command.Blobs ?? []).Select(static blob => blob.Digest)).Distinct().ToList();
        var history = NameHistory.With((known is null ? [] : NameHistory.Of(known)).Concat(command.NamesHistory ?? []), command.Names.Except(known?.Names ?? [], StringComparer.Ordinal));
        return new ImageRecord(
            command.Id, NameRules.Sorted((known?.Names ?? []).Concat(command.Names)), command.Layers, labels, (command.Created ?? known?.Created ?? now).ToUniversalTime(),
            command.ManifestDigest ?? known?.ManifestDigest, [.. documents.Values], blobs.Count == 0 ? null : blobs,
            NamesHistory: history.Length == 0 ? null : history, Added: known is null ? now : known.Added ?? known.Created);
    }

    /// <summary>The events of an image that was put: its names leave whoever has them now.</summary>
    internal static IReadOnlyList<IJournalEvent> Put(CatalogState state, ImageRecord image)
    {
        var names = NameRules.Sorted(image.Names.Concat(state.FindOwn(image.Id)?.Names ?? []));
        return [.. MoveNames(state, image.Id, names), new CatalogEvent.ImagePut(image with { Names = names })];
    }

    internal static Decision<LayerRules.Changed> ChangeNames(CatalogState state, ImageId id, CatalogProtocol.ChangeNames command)
    {
        const string operation = "name";
        if (state.FindImage(id) is not { } image) return Refusals.NotFound(operation, id);
        if (Refusals.Elsewhere(operation, image) is { } elsewhere) return elsewhere;
        if (NameRules.Check(operation, command.Add).IsRefused(out var refusal, out var add)) return refusal;
        if (command.Remove.FirstOrDefault(name => !image.Names.Contains(name, StringComparer.Ordinal)) is { } absent)
            return Refusals.NotFound(operation, $"image {id} has no name {NameRules.Printable(absent)}", StorageErrorReason.UnknownName, image: id);
        if (!command.Steal && add.FirstOrDefault(name => state.FindImageName(name) is { } owner && owner != id) is { } taken)
            return Refusals.Exists(operation, $"image {state.FindImageName(taken)} has the name {taken}; take another name, or steal it", StorageErrorReason.DuplicateImageName, image: state.FindImageName(taken));
        var names = NameRules.Sorted(LayerRules.Without(image.Names, command.Remove).Concat(add));
        var events = MoveNames(state, id, add).ToList();
        if (!names.SequenceEqual(image.Names, StringComparer.Ordinal))
        {
            events.Add(new CatalogEvent.ImageNamed(id, names, Given: [.. command.Add.Except(image.Names, StringComparer.Ordinal)]));
        }

        return new LayerRules.Changed(events);
    }

    private static IEnumerable<IJournalEvent> MoveNames(CatalogState state, ImageId to, IReadOnlyList<string> names) =>
        names.GroupBy(state.FindImageName).Where(group => group.Key is { } owner && owner != to)
            .Select(group => Rename(state.FindImage(group.Key!.Value)!, group));

    private static CatalogEvent.ImageNamed Rename(ImageRecord owner, IEnumerable<string> lost) =>
        new(owner.Id, LayerRules.Without(owner.Names, lost), Given: []);
}
