using System.Runtime.InteropServices;
using System.Text;
using StorageActors.Protocol;

namespace StorageActors.Records;

/// <summary>What is known of the layers of a table together, so that a start need not look at each of them.</summary>
/// <param name="Ids">Their ids.</param>
/// <param name="Damaged">How many have a damage.</param>
/// <param name="HasParentsFirst">Whether none is before its parent.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct LayerTotals(NameSum Ids, int Damaged, bool HasParentsFirst)
{
    internal static LayerTotals Of(IReadOnlyList<LayerRecord> layers)
    {
        var (ids, damaged, hasParentsFirst) = (NameSum.None, 0, true);
        var seen = new HashSet<string>(layers.Count, StringComparer.Ordinal);
        var awaited = new HashSet<string>(StringComparer.Ordinal); // parents that were not there before their children
        foreach (var layer in layers)
        {
            var id = layer.Id.Value;
            ids = ids.With(Encoding.UTF8.GetBytes(id));
            if (layer.Damage is not null) damaged++;
            if (layer.Parent is { } parent && !seen.Contains(parent.Value)) awaited.Add(parent.Value);
            hasParentsFirst &= !awaited.Contains(id);
            seen.Add(id);
        }

        return new LayerTotals(ids, damaged, hasParentsFirst);
    }
}
