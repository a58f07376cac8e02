using System.Collections.Immutable;
using StorageActors.Protocol;

namespace StorageActors.CrashTests.Model;

/// <summary>
/// What one worker of the workload has made of its part of the store: layers whose ids start with its name, images that carry its label, leases that outlive
/// its process. Immutable; steps make the next state from it.
/// </summary>
internal sealed record WorkerModel(
    int Worker,
    int Next,
    ImmutableSortedDictionary<string, LayerModel> Layers,
    ImmutableSortedDictionary<string, ImageModel> Images,
    ImmutableSortedSet<string> Leases)
{
    /// <summary>The label by which an image is known to be a worker's.</summary>
    internal const string WorkerLabel = "worker";

    /// <summary>
    /// For a layer, what its leases that outlive the process were, one state after the other, since the journal certainly had them. A death leaves one of these states: it may lose
    /// the last changes, never one of those before them. What is not here is in the journal. Not handed to the process that works.
    /// </summary>
    internal ImmutableSortedDictionary<string, ImmutableList<ImmutableSortedSet<string>>> Unsettled { get; init; } =
        ImmutableSortedDictionary.Create<string, ImmutableList<ImmutableSortedSet<string>>>(StringComparer.Ordinal);

    /// <summary>Layers of which the process has leases that end with it. Not handed to it, either.</summary>
    internal ImmutableSortedSet<string> HeldByProcess { get; init; } = ImmutableSortedSet.Create<string>(StringComparer.Ordinal);

    internal string Prefix => $"w{Worker}-";

    internal static WorkerModel Empty(int worker) => new(
        worker, 0,
        ImmutableSortedDictionary.Create<string, LayerModel>(StringComparer.Ordinal),
        ImmutableSortedDictionary.Create<string, ImageModel>(StringComparer.Ordinal),
        ImmutableSortedSet.Create<string>(StringComparer.Ordinal));

    /// <summary>The lines by which two states are compared.</summary>
    internal IReadOnlyList<string> Lines() =>
    [
        .. Layers.Values.Select(static layer => layer.Line),
        .. Images.Values.Select(static image => image.Line),
        .. Leases.Select(static lease => "lease " + lease),
    ];

    internal IEnumerable<LayerModel> Sealed => Layers.Values.Where(static layer => layer.DiffId is not null);

    internal bool HasChildren(string layer) => Layers.Values.Any(other => other.Parent == layer);

    internal bool IsInImage(string layer) => Images.Values.Any(image => image.Layers.Contains(layer, StringComparer.Ordinal));

    internal bool IsHeld(string layer) => Leases.Any(lease => lease.StartsWith(layer + " ", StringComparison.Ordinal));

    /// <summary>The layers from the base up to this one.</summary>
    internal ImmutableList<string> ChainOf(string layer)
    {
        var chain = ImmutableList<string>.Empty;
        for (string? id = layer; id is not null; id = Layers[id].Parent) chain = chain.Insert(0, id);
        return chain;
    }

    internal ImmutableSortedSet<string> LeasesOf(string layer) => [.. Leases.Where(lease => lease.StartsWith(layer + " ", StringComparison.Ordinal))];

    /// <summary>The leases of a layer change, which the journal may have later. The last one that ends ends in the journal first, and so does all before it.</summary>
    internal WorkerModel ChangeLeases(string layer, Func<ImmutableSortedSet<string>, ImmutableSortedSet<string>> change)
    {
        var (before, after) = (LeasesOf(layer), change(LeasesOf(layer)));
        var changed = this with { Leases = Leases.Except(before).Union(after) };
        if (after.IsEmpty && !HeldByProcess.Contains(layer)) return changed with { Unsettled = Unsettled.Remove(layer) };
        return changed with { Unsettled = Unsettled.SetItem(layer, Unsettled.GetValueOrDefault(layer, [before]).Add(after)) };
    }

    /// <summary>Whether a death may leave these leases.</summary>
    internal bool MayLeave(WorkerModel actual) => Leases.Union(actual.Leases).Select(static lease => lease.Split(' ')[0]).Concat(Unsettled.Keys).Distinct(StringComparer.Ordinal)
        .All(layer => actual.LeasesOf(layer) is var left && (left.SetEquals(LeasesOf(layer)) || Unsettled.GetValueOrDefault(layer, []).Exists(left.SetEquals)));

    internal WorkerModel With(LayerModel layer) => this with { Layers = Layers.SetItem(layer.Id, layer) };

    internal WorkerModel With(ImageModel image) => this with { Images = Images.SetItem(image.Id, image) };

    internal WorkerModel WithoutLayer(string layer) => this with
    {
        Layers = Layers.Remove(layer),
        Leases = Leases.Except(LeasesOf(layer)),
        Unsettled = Unsettled.Remove(layer),
        HeldByProcess = HeldByProcess.Remove(layer),
    };

    /// <summary>Takes layers' names from whoever has them.</summary>
    internal WorkerModel TakeLayerNames(IEnumerable<string> names) => this with
    {
        Layers = Layers.SetItems(Layers.Values.Where(layer => layer.Names.Overlaps(names)).Select(layer => KeyValuePair.Create(layer.Id, layer with { Names = layer.Names.Except(names) }))),
    };

    /// <summary>Takes images' names from whoever has them.</summary>
    internal WorkerModel TakeImageNames(IEnumerable<string> names) => this with
    {
        Images = Images.SetItems(Images.Values.Where(image => image.Names.Overlaps(names)).Select(image => KeyValuePair.Create(image.Id, image with { Names = image.Names.Except(names) }))),
    };
}

/// <summary>One layer.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Parent">The one below.</param>
/// <param name="DiffId">Null while it is writable.</param>
/// <param name="Content">The seed of the tar that it was applied from.</param>
/// <param name="Names">Its names.</param>
/// <param name="Labels">Its labels.</param>
/// <param name="Files">What was written to it while it was mounted, and the seed of each.</param>
internal sealed record LayerModel(
    string Id,
    string? Parent,
    Digest? DiffId,
    int? Content,
    ImmutableSortedSet<string> Names,
    ImmutableSortedDictionary<string, string> Labels,
    ImmutableSortedDictionary<string, int> Files)
{
    internal static LayerModel New(string id, string? parent, Digest? diffId, int? content) => new(
        id, parent, diffId, content, ImmutableSortedSet.Create<string>(StringComparer.Ordinal),
        ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal), ImmutableSortedDictionary.Create<string, int>(StringComparer.Ordinal));

    internal string Line => $"layer {Id} on {Parent ?? "nothing"} {DiffId?.Value ?? "writable"} [{string.Join(' ', Names)}] {{{string.Join(' ', Labels.Select(static label => $"{label.Key}={label.Value}"))}}}";
}

/// <summary>One image.</summary>
internal sealed record ImageModel(
    string Id, ImmutableSortedSet<string> Names, ImmutableList<string> Layers, ImmutableSortedDictionary<string, Digest> Documents, bool KeepsBlobs)
{
    internal string Line => $"image {Id} of {string.Join(' ', Layers)} [{string.Join(' ', Names)}] {{{string.Join(' ', Documents.Select(static document => $"{document.Key}={document.Value}"))}}}{(KeepsBlobs ? " with blobs" : "")}";
}
