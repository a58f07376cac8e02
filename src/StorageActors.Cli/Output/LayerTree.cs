using StorageActors.Protocol;

namespace StorageActors.Cli.Output;

/// <summary>Layers as a tree, base layers at the margin.</summary>
internal static class LayerTree
{
    /// <summary>Writes a line for each layer. One whose parent is not among them stands at the margin.</summary>
    internal static void Write(IReadOnlyList<LayerRecord> layers, Func<LayerRecord, string> describe, Action<string> line)
    {
        var known = layers.Select(static layer => layer.Id).ToHashSet();
        var children = layers.ToLookup(layer => layer.Parent is { } parent && known.Contains(parent) ? parent : (LayerId?)null);

        // An image may have hundreds of layers, each the child of the one before: their depth is not the stack's to bear.
        var pending = new Stack<(LayerRecord Layer, string Own, string Below)>();
        Push(children[null], "", atMargin: true);
        while (pending.TryPop(out var next))
        {
            line(next.Own + describe(next.Layer));
            Push(children[next.Layer.Id], next.Below, atMargin: false);
        }

        void Push(IEnumerable<LayerRecord> siblings, string indent, bool atMargin)
        {
            var ordered = siblings.ToArray();
            for (var i = ordered.Length - 1; i >= 0; i--)
            {
                var last = i == ordered.Length - 1;
                // A lone child continues its parent's line: a chain of layers would else run off the right edge.
                var (own, below) = atMargin ? ("", "") : ordered.Length == 1 ? (indent + "└ ", indent) : last ? (indent + "└─ ", indent + "   ") : (indent + "├─ ", indent + "│  ");
                pending.Push((ordered[i], own, below));
            }
        }
    }

    /// <summary>Id, names, size and state on one line.</summary>
    internal static string Describe(LayerRecord layer)
    {
        var names = layer.Names.Count == 0 ? "" : $"  {Human.Names(layer.Names)}";
        var state = layer.Damage is not null ? "damaged" : layer.Kind == LayerKind.Writable ? "writable" : Human.Size(layer.Size);
        var store = layer.AdditionalStore is { } elsewhere ? $"  in {elsewhere}" : "";
        return $"{Human.Short(layer.Id.Value)}  {state}{names}{store}";
    }
}
