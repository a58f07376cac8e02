using System.Collections.Immutable;
using StorageActors.Protocol;

namespace StorageActors.CrashTests.Model;

/// <summary>Puts an image, or puts it again with other documents.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Layers">Its layers, base first.</param>
/// <param name="Names">Names that it gets.</param>
/// <param name="Documents">The seeds of its documents.</param>
/// <param name="KeepsBlobs">Whether it keeps the blob of its first layer.</param>
internal sealed record PutImageStep(
    string Id, ImmutableList<string> Layers, ImmutableSortedSet<string> Names, ImmutableSortedDictionary<string, int> Documents, bool KeepsBlobs) : Step
{
    internal override WorkerModel Done(WorkerModel model, string? answer)
    {
        model = model.TakeImageNames(Names);
        var image = model.Images.GetValueOrDefault(Id) ?? new ImageModel(
            Id, Names, Layers, ImmutableSortedDictionary.Create<string, Digest>(StringComparer.Ordinal), KeepsBlobs);
        var documents = Documents.Select(static document => KeyValuePair.Create(document.Key, Digest.Of(Workload.Contents.Document(document.Value))));
        return model.With(image with { Names = image.Names.Union(Names), Documents = image.Documents.SetItems(documents), KeepsBlobs = image.KeepsBlobs || KeepsBlobs });
    }
}

/// <summary>Changes an image's names.</summary>
internal sealed record NameImageStep(string Image, ImmutableSortedSet<string> Add, ImmutableSortedSet<string> Remove) : Step
{
    internal override WorkerModel Done(WorkerModel model, string? answer)
    {
        model = model.TakeImageNames(Add);
        return model.With(model.Images[Image] with { Names = model.Images[Image].Names.Except(Remove).Union(Add) });
    }
}

/// <summary>Removes an image and what only it needs; the answer is the ids of those layers.</summary>
internal sealed record RemoveImageStep(string Image) : Step
{
    internal override WorkerModel Done(WorkerModel model, string? answer) =>
        (answer ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries).Aggregate(Gone(model), static (left, layer) => left.WithoutLayer(layer));

    /// <summary>The image goes first, then its layers from the top down.</summary>
    internal override IEnumerable<WorkerModel> Outcomes(WorkerModel model)
    {
        var left = Gone(model);
        yield return left;
        foreach (var layer in model.Images[Image].Layers.Reverse())
        {
            if (left.HasChildren(layer) || left.IsInImage(layer) || left.IsHeld(layer) || !left.Layers[layer].Names.IsEmpty) yield break;
            left = left.WithoutLayer(layer);
            yield return left;
        }
    }

    private WorkerModel Gone(WorkerModel model) => model with { Images = model.Images.Remove(Image) };
}
