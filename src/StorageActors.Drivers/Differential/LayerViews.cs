using Microsoft.Win32.SafeHandles;
using StorageActors.Protocol;

namespace StorageActors.Drivers.Differential;

/// <summary>Shows a layer with all below it, read-only, as a tree that nobody else can see and that is gone when the descriptor is closed.</summary>
/// <param name="layer">The layer.</param>
/// <param name="parents">The layers below, nearest first.</param>
/// <param name="follows">Whether content that another mount's options left elsewhere is looked for there.</param>
/// <param name="ids">Whose ids it shows.</param>
internal delegate SafeFileHandle LayerView(LayerLocation layer, IReadOnlyList<LayerLocation> parents, bool follows, IdMap ids);

/// <summary>Two stacks as the users of the first would see them: with the ids of its container.</summary>
internal sealed class LayerViews : IDisposable
{
    /// <param name="view">Shows one of them.</param>
    /// <param name="request">What to look at; without anything to compare with, the parent.</param>
    /// <param name="follows">See <see cref="LayerView"/>.</param>
    internal LayerViews(LayerView view, DiffRequest request, bool follows)
    {
        var ids = request.Layer.Ids;
        Layer = view(request.Layer, request.Parents, follows, ids);
        try
        {
            if (request.From is { } from) From = view(from, request.FromParents, follows, ids);
            else if (!request.Whole && request.Parents.Count > 0) From = view(request.Parents[0], [.. request.Parents.Skip(1)], follows, ids);
        }
        catch
        {
            Layer.Dispose();
            throw;
        }
    }

    internal SafeFileHandle Layer { get; }

    internal SafeFileHandle? From { get; }

    public void Dispose()
    {
        From?.Dispose();
        Layer.Dispose();
    }
}
