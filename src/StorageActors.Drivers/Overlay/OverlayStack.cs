using StorageActors.Drivers.Mounting;
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

    /// <summary>The explicit options of this mount, given those of every mount.</summary>
    internal IEnumerable<KeyValuePair<string, string>> ExplicitWords(IEnumerable<KeyValuePair<string, string>> words) =>
        !Follows ? words : words.Select(static word => word.Key switch
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
