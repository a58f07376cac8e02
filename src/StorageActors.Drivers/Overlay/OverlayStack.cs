using System.Collections.Frozen;
using StorageActors.Drivers.Mounting;
using StorageActors.Drivers.Probing;
using StorageActors.Protocol;

namespace StorageActors.Drivers.Overlay;

/// <summary>What one overlay mount is made of. Paths are absolute and below the store's root.</summary>
/// <param name="Lowers">Read-only directories, topmost first; at least two without an upper, at least one with it.</param>
/// <param name="Upper">Takes the writes; null for a read-only mount.</param>
/// <param name="Work">The kernel's scratch space beside <paramref name="Upper"/>.</param>
/// <param name="Words">Further options.</param>
internal sealed record OverlayStack(IReadOnlyList<string> Lowers, string? Upper, string? Work, MountWords Words)
{
    /// <summary>Whether redirects and metadata-only copies are followed; only for looking at a layer that was mounted with other options than ours.</summary>
    internal bool Follows { get; init; }

    private IReadOnlyDictionary<string, IdShift> Shifts { get; init; } = FrozenDictionary<string, IdShift>.Empty;

    /// <summary>Whether a lower directory is to be shown with other owners than it has; only a mounter that takes directories by descriptor can do that.</summary>
    internal bool IsShifted => Shifts.Count > 0;

    /// <summary>What is done to the owners of a lower directory; null for nothing.</summary>
    internal IdShift? ShiftOf(string lower) => Shifts.GetValueOrDefault(lower);

    /// <summary>The same with all lower directories shifted alike.</summary>
    internal OverlayStack With(IdShift shift) => this with { Shifts = Lowers.ToDictionary(static lower => lower, _ => shift, StringComparer.Ordinal) };

    /// <summary>
    /// The same with the ids of a container: each lower directory is shifted from those that it has on disk. The upper one has them already, since whoever writes to it
    /// does so with host ids.
    /// </summary>
    internal OverlayStack Showing(IdMap ids, LayerLocation layer, IReadOnlyList<LayerLocation> parents)
    {
        if (ids.IsHost() && layer.Ids.IsHost() && parents.All(static parent => parent.Ids.IsHost())) return this;
        var shifts = new Dictionary<string, IdShift>(StringComparer.Ordinal);
        var known = new Dictionary<IdMap, IdShift?>();
        foreach (var lower in Upper is null ? parents.Prepend(layer) : parents)
        {
            if (!known.TryGetValue(lower.Ids, out var shift)) known.Add(lower.Ids, shift = IdShift.Between(lower.Ids, ids));
            if (shift is not null) shifts[lower.Path + "/diff"] = shift;
        }

        return this with { Shifts = shifts };
    }

    /// <summary>The explicit options of this mount, given those of every mount.</summary>
    internal IEnumerable<KeyValuePair<string, string>> ExplicitWords(IEnumerable<KeyValuePair<string, string>> words) =>
        // Where users' attributes are the kernel's marks, it neither writes those two nor obeys them, and refuses to be asked.
        !Follows || words.Any(static word => word.Key == OverlayAbilities.UserXattrWord) ? words : words.Select(static word => word.Key switch
        {
            "redirect_dir" => new KeyValuePair<string, string>(word.Key, "follow"),
            "metacopy" => new KeyValuePair<string, string>(word.Key, "on"),
            _ => word,
        });

    /// <summary>Most lower directories of one mount; the kernel's limit, and that of its peers' formats.</summary>
    internal const int MaximumLowers = 500;

    /// <summary>A layer on top of its parents, nearest first: as the upper directory, or, read-only, as the topmost lower one.</summary>
    internal static OverlayStack Of(LayerDirectory layer, IReadOnlyList<LayerLocation> parents, MountWords words)
    {
        var lowers = new List<string>(parents.Count + 2);
        if (words.ReadOnly) lowers.Add(layer.Diff);
        foreach (var parent in parents) lowers.Add(parent.Path + "/diff");
        // The kernel wants one lower below an upper, and two without one.
        if (parents.Count == 0) lowers.Add(layer.Empty);
        if (lowers.Count > MaximumLowers) throw TooDeep(layer, lowers.Count);
        return words.ReadOnly ? new OverlayStack(lowers, null, null, words with { Volatile = false })
            : new OverlayStack(lowers, layer.Diff, layer.Work, words);
    }

    /// <summary>The refusal of a stack that no mount can show.</summary>
    internal static PermanentDriverException TooDeep(LayerDirectory layer, int count) => DriverErrors.Refuse(
        StorageErrorCode.LimitExceeded, "mount",
        $"Layer {layer.Id} would be a stack of {count} layers; overlayfs takes {MaximumLowers}. Squash the image, or use the driver vfs.", layer.Path);
}
