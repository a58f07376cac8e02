using System.Collections.Immutable;
using System.Globalization;
using StorageActors.CrashTests.Model;
using StorageActors.Protocol;

namespace StorageActors.CrashTests.Workload;

/// <summary>Chooses a worker's next step: any that the store must carry out in the worker's state, the rare ones as often as the plain.</summary>
internal sealed class StepChooser(Random random)
{
    private const int ManyLayers = 14;

    internal Step Choose(WorkerModel model, IReadOnlySet<string> held)
    {
        while (true)
        {
            Step? step = random.Next(model.Layers.Count > ManyLayers ? 22 : 16) switch
            {
                0 or 1 => Apply(model),
                2 => ApplyAgain(model),
                3 or 4 => new CreateStep(Id(model), Pick(model.Sealed)?.Id, Names(model, 0.5)),
                5 or 6 => Lease(model),
                7 => Write(model),
                8 => Release(model),
                9 or 10 => Seal(model, held),
                11 => Name(model),
                12 => Pick(model.Layers.Values) is { } layer ? new LabelStep(layer.Id, $"k{random.Next(3)}", Text(random.Next(1000))) : null,
                13 => PutImage(model),
                14 => NameImage(model),
                15 => random.Next(3) == 0 ? new ReadStep(Pick(model.Sealed)?.Id) : random.Next(2) == 0 ? RemoveImage(model) : Remove(model, held),
                16 or 17 => RemoveImage(model),
                _ => Remove(model, held),
            };
            if (step is not null) return step;
        }
    }

    internal ApplyStep Apply(WorkerModel model, int count = 0)
    {
        var parent = random.Next(3) == 0 ? null : Pick(model.Sealed.Where(layer => model.ChainOf(layer.Id).Count < 6))?.Id;
        var items = ImmutableList<ApplyStep.Item>.Empty;
        if (count == 0) count = random.Next(1, 4);
        for (var index = 0; index < count; index++)
        {
            var seed = random.Next();
            var labels = random.Next(2) == 0 ? ImmutableSortedDictionary<string, string>.Empty : ImmutableSortedDictionary<string, string>.Empty.Add("made", Text(seed));
            items = items.Add(new ApplyStep.Item(
                $"{model.Prefix}l{Text(model.Next)}-{index}", seed, random.Next(2) == 0, Digest.Of(Contents.Tar(seed)),
                index == count - 1 ? Names(model, 0.7) : Names(model, 0.3, index + 1), labels));
        }

        return new ApplyStep(parent, items, Reuse: false, IsKnown: random.Next(2) == 0);
    }

    internal static CreateStep Create(WorkerModel model, string parent) => new(Id(model), parent, []);

    internal static SealStep Seal(WorkerModel model, string layer) => new(layer, [$"{model.Prefix}sealed{Text(model.Next)}"]);

    internal static PutImageStep PutImage(WorkerModel model, string top, int seed) => new(
        Contents.Image(seed).Value, model.ChainOf(top), [$"{model.Prefix}image{Text(model.Next)}"],
        ImmutableSortedDictionary<string, int>.Empty.Add("config", seed).Add("Mixed Key", seed + 1), KeepsBlobs: model.Layers[model.ChainOf(top)[0]].Content is not null);

    /// <summary>A lease of the process' own ends with it.</summary>
    private LeaseStep? Lease(WorkerModel model) =>
        Pick(model.Layers.Values) is { } layer ? new LeaseStep(layer.Id, $"{(random.Next(3) == 0 ? "own" : "lease")}-{Text(model.Next)}", random.Next(3) > 0) : null;

    private WriteStep? Write(WorkerModel model) =>
        Pick(model.Layers.Values.Where(layer => layer.DiffId is null && model.IsHeld(layer.Id))) is { } layer ? new WriteStep(layer.Id, $"written{random.Next(8)}", random.Next()) : null;

    private ReleaseStep? Release(WorkerModel model) =>
        Pick(model.Leases) is { } lease ? new ReleaseStep(lease.Split(' ')[0], lease.Split(' ')[1]) : null;

    private SealStep? Seal(WorkerModel model, IReadOnlySet<string> held) =>
        Pick(model.Layers.Values.Where(layer => layer.DiffId is null && !model.IsHeld(layer.Id) && !held.Contains(layer.Id))) is { } layer ? new SealStep(layer.Id, Names(model, 0.5)) : null;

    private ApplyStep? ApplyAgain(WorkerModel model) =>
        Pick(model.Sealed.Where(static layer => layer.Content is not null)) is { } layer
            ? new ApplyStep(
                layer.Parent, [new ApplyStep.Item(Id(model), layer.Content!.Value, false, layer.DiffId!.Value, Names(model, 0.5), ImmutableSortedDictionary<string, string>.Empty)],
                Reuse: true, IsKnown: random.Next(2) == 0)
            : null;

    private RemoveStep? Remove(WorkerModel model, IReadOnlySet<string> held)
    {
        var leaves = model.Layers.Values.Where(layer => !model.HasChildren(layer.Id) && !model.IsInImage(layer.Id)).ToList();
        if (random.Next(4) == 0) return Pick(leaves) is { } any ? new RemoveStep(any.Id, Force: true) : null;
        return Pick(leaves.Where(layer => !model.IsHeld(layer.Id) && !held.Contains(layer.Id))) is { } layer ? new RemoveStep(layer.Id, Force: false) : null;
    }

    private NameStep? Name(WorkerModel model)
    {
        if (Pick(model.Layers.Values) is not { } layer) return null;
        var taken = random.Next(3) == 0 ? Pick(model.Layers.Values.Where(static other => !other.Names.IsEmpty))?.Names[0] : null;
        var removed = taken is null && !layer.Names.IsEmpty && random.Next(2) == 0 ? layer.Names.Take(1) : [];
        return new NameStep(layer.Id, taken is null ? Names(model, 1) : [taken], [.. removed]);
    }

    private PutImageStep? PutImage(WorkerModel model)
    {
        if (Pick(model.Images.Values) is { } known && random.Next(2) == 0)
        {
            return new PutImageStep(
                known.Id, known.Layers, random.Next(2) == 0 ? Names(model, 1) : [], ImmutableSortedDictionary<string, int>.Empty.Add($"document{random.Next(3)}", random.Next(1 << 20)), false);
        }

        return Pick(model.Sealed) is { } top ? PutImage(model, top.Id, random.Next(1 << 20)) : null;
    }

    private NameImageStep? NameImage(WorkerModel model)
    {
        if (Pick(model.Images.Values) is not { } image) return null;
        var taken = random.Next(3) == 0 ? Pick(model.Images.Values.Where(static other => !other.Names.IsEmpty))?.Names[0] : null;
        return new NameImageStep(image.Id, taken is null ? Names(model, 1) : [taken], taken is null ? [.. image.Names.Take(random.Next(2))] : []);
    }

    private RemoveImageStep? RemoveImage(WorkerModel model) => Pick(model.Images.Values) is { } image ? new RemoveImageStep(image.Id) : null;

    private ImmutableSortedSet<string> Names(WorkerModel model, double chance, int part = 0) =>
        random.NextDouble() < chance ? [$"{model.Prefix}name{Text(model.Next)}{(part == 0 ? "" : "." + Text(part))}"] : [];

    /// <summary>The id of a layer that was removed may be used again, whatever of it is still in the trash.</summary>
    private static string Id(WorkerModel model)
    {
        var again = $"{model.Prefix}again{Text(model.Next % 3)}";
        return model.Next % 2 == 0 && !model.Layers.ContainsKey(again) ? again : $"{model.Prefix}l{Text(model.Next)}";
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private T? Pick<T>(IEnumerable<T> from)
        where T : class
    {
        var list = from.ToList();
        return list.Count == 0 ? null : list[random.Next(list.Count)];
    }
}
