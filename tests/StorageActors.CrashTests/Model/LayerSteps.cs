using System.Collections.Immutable;
using StorageActors.Protocol;

namespace StorageActors.CrashTests.Model;

/// <summary>Applies tars as a chain.</summary>
/// <param name="Parent">The layer below the first.</param>
/// <param name="Items">The layers.</param>
/// <param name="Reuse">Whether what is there is taken.</param>
/// <param name="IsKnown">Whether the digests are said beforehand.</param>
internal sealed record ApplyStep(string? Parent, ImmutableList<ApplyStep.Item> Items, bool Reuse, bool IsKnown) : Step
{
    internal override WorkerModel Done(WorkerModel model, string? answer) => Make(model, Items.Count, isNamed: true);

    /// <summary>The layers of a chain are wholes of their own: those below may be there, whole and without names.</summary>
    internal override IEnumerable<WorkerModel> Outcomes(WorkerModel model) =>
        [Done(model, null), .. Enumerable.Range(1, Items.Count).Select(count => Make(model, count, isNamed: false))];

    private WorkerModel Make(WorkerModel model, int count, bool isNamed)
    {
        var below = Parent;
        foreach (var item in Items.Take(count))
        {
            var known = Reuse ? model.Layers.Values.FirstOrDefault(layer => layer.Parent == below && layer.DiffId == item.DiffId) : null;
            var layer = known ?? LayerModel.New(item.Id, below, item.DiffId, item.Content) with { Labels = item.Labels };
            model = model.With(layer with { Names = isNamed ? layer.Names.Union(item.Names) : layer.Names });
            below = layer.Id;
        }

        return model;
    }

    /// <summary>One layer.</summary>
    internal sealed record Item(
        string Id, int Content, bool IsGzip, Digest DiffId, ImmutableSortedSet<string> Names, ImmutableSortedDictionary<string, string> Labels);
}

/// <summary>Makes a writable layer.</summary>
internal sealed record CreateStep(string Id, string? Parent, ImmutableSortedSet<string> Names) : Step
{
    internal override WorkerModel Done(WorkerModel model, string? answer) => model.With(LayerModel.New(Id, Parent, null, null) with { Names = Names });
}

/// <summary>Takes a lease, which may outlive the process.</summary>
internal sealed record LeaseStep(string Layer, string Lease, bool Outlives) : Step
{
    internal override WorkerModel Done(WorkerModel model, string? answer) => Outlives
        ? model.ChangeLeases(Layer, leases => leases.Add($"{Layer} {Lease}"))
        : model with { HeldByProcess = model.HeldByProcess.Add(Layer) };
}

/// <summary>Writes a file into a mounted layer; no command of the store, but what a container does.</summary>
internal sealed record WriteStep(string Layer, string File, int Content) : Step
{
    internal override WorkerModel Done(WorkerModel model, string? answer) => model.With(model.Layers[Layer] with { Files = model.Layers[Layer].Files.SetItem(File, Content) });

    /// <summary>A file that was being written is its writer's business.</summary>
    internal override IEnumerable<WorkerModel> Outcomes(WorkerModel model) =>
        [model.With(model.Layers[Layer] with { Files = model.Layers[Layer].Files.Remove(File) })];
}

/// <summary>Gives a lease back.</summary>
internal sealed record ReleaseStep(string Layer, string Lease) : Step
{
    internal override WorkerModel Done(WorkerModel model, string? answer) => model.ChangeLeases(Layer, leases => leases.Remove($"{Layer} {Lease}"));
}

/// <summary>Seals a writable layer; the answer is its DiffID.</summary>
internal sealed record SealStep(string Layer, ImmutableSortedSet<string> Names) : Step
{
    /// <summary>Stands for the digest of a seal whose answer was not heard: whatever it is, the content must have it.</summary>
    internal static readonly Digest Unheard = Digest.Of("unheard"u8);

    internal override WorkerModel Done(WorkerModel model, string? answer) => model.With(model.Layers[Layer] with
    {
        DiffId = answer is null ? Unheard : Digest.Parse(answer), Names = model.Layers[Layer].Names.Union(Names),
    });
}

/// <summary>Removes a layer.</summary>
internal sealed record RemoveStep(string Layer, bool Force) : Step
{
    internal override WorkerModel Done(WorkerModel model, string? answer) => model.WithoutLayer(Layer);

    /// <summary>With force leases end before the layer goes.</summary>
    internal override IEnumerable<WorkerModel> Outcomes(WorkerModel model) =>
        [Done(model, null), .. Force ? [model.ChangeLeases(Layer, static leases => leases.Clear())] : Array.Empty<WorkerModel>()];
}

/// <summary>Changes a layer's names; those that it takes leave whoever has them.</summary>
internal sealed record NameStep(string Layer, ImmutableSortedSet<string> Add, ImmutableSortedSet<string> Remove) : Step
{
    internal override WorkerModel Done(WorkerModel model, string? answer)
    {
        model = model.TakeLayerNames(Add);
        var layer = model.Layers[Layer];
        return model.With(layer with { Names = layer.Names.Except(Remove).Union(Add) });
    }
}

/// <summary>Sets a layer's label.</summary>
internal sealed record LabelStep(string Layer, string Key, string Value) : Step
{
    internal override WorkerModel Done(WorkerModel model, string? answer) =>
        model.With(model.Layers[Layer] with { Labels = model.Layers[Layer].Labels.SetItem(Key, Value) });
}

/// <summary>Reads a layer back, or asks for sizes: changes nothing.</summary>
internal sealed record ReadStep(string? Layer) : Step
{
    internal override WorkerModel Done(WorkerModel model, string? answer) => model;
}
