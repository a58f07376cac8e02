using System.Globalization;
using StorageActors.Protocol;

namespace StorageActors.Containerd.Snapshots;

/// <summary>
/// A snapshot is a layer: an active one is writable, a committed one sealed, a view an empty layer that keeps its parent in the store; so is a committed one whose
/// content came into the store on another way, which then is its parent. What the client says of it lies in the layer's labels; those of our own carry a prefix
/// that clients cannot use.
/// </summary>
/// <param name="Key">The client's key, or the name that a commit gave.</param>
/// <param name="Parent">The parent's name; empty without one.</param>
/// <param name="State">Where it stands.</param>
/// <param name="Created">When it was made, or committed.</param>
/// <param name="Updated">When its labels were last changed.</param>
/// <param name="Labels">The client's labels.</param>
/// <param name="Layer">The layer.</param>
internal sealed record Snapshot(
    string Key, string Parent, SnapshotState State, DateTimeOffset Created, DateTimeOffset Updated, IReadOnlyDictionary<string, string> Labels, LayerRecord Layer)
{
    /// <summary>The label by which a client names the content that it is about to fetch: a ChainID.</summary>
    internal const string RefLabel = "containerd.io/snapshot.ref";

    private const string Own = "storage-actors/";
    private const string EndpointLabel = Own + "snapshot.endpoint";
    private const string KeyLabel = Own + "snapshot.key";
    private const string ParentLabel = Own + "snapshot.parent";
    private const string CreatedLabel = Own + "snapshot.created";
    private const string UpdatedLabel = Own + "snapshot.updated";
    private const string SharedLabel = Own + "snapshot.shared";

    /// <summary>The layer whose content it shows.</summary>
    internal LayerId Content => Layer.Labels.ContainsKey(LayerLabels.HeldReadOnly) && Layer.Parent is { } shown ? shown : Layer.Id;

    /// <summary>What it has, and all below it: the ChainID, computed by the store or named by the client.</summary>
    internal string? Chain => Layer.ChainId?.Value ?? Labels.GetValueOrDefault(RefLabel);

    /// <summary>The layer as a snapshot of this endpoint; null when it is none.</summary>
    internal static Snapshot? Of(string endpoint, LayerRecord layer)
    {
        if (!layer.Labels.TryGetValue(EndpointLabel, out var owner) || owner != endpoint) return null;
        var labels = layer.Labels.Where(static label => !IsOwn(label.Key)).ToDictionary(StringComparer.Ordinal);
        var state = layer.Kind == LayerKind.Sealed || layer.Labels.ContainsKey(SharedLabel) ? SnapshotState.Committed
            : layer.Labels.ContainsKey(LayerLabels.HeldReadOnly) ? SnapshotState.View : SnapshotState.Active;
        // The store has computed it, so the content can be found by it, whether the client said so or not.
        if (state == SnapshotState.Committed && (layer.ChainId?.Value ?? layer.Labels.GetValueOrDefault(SharedLabel)) is { } chain) labels.TryAdd(RefLabel, chain);
        return new Snapshot(
            layer.Labels.GetValueOrDefault(KeyLabel, ""), layer.Labels.GetValueOrDefault(ParentLabel, ""), state,
            Time(layer, CreatedLabel), Time(layer, UpdatedLabel), labels, layer);
    }

    /// <summary>Whether the layer is a snapshot of this endpoint that the client sees standing on this one.</summary>
    internal static bool IsOn(string endpoint, string key, LayerRecord layer) =>
        layer.Labels.TryGetValue(ParentLabel, out var parent) && parent == key && layer.Labels.TryGetValue(EndpointLabel, out var owner) && owner == endpoint;

    /// <summary>Whether a label is one that clients cannot have.</summary>
    internal static bool IsOwn(string label) => label.StartsWith(Own, StringComparison.Ordinal);

    /// <summary>The labels of a layer that is to be a snapshot.</summary>
    internal static Dictionary<string, string> Write(
        string endpoint, string key, string parent, bool isView, DateTimeOffset now, IEnumerable<KeyValuePair<string, string>> labels)
    {
        // An empty value says that a label is not there; the store keeps none either.
        var written = labels.Where(static label => label.Value.Length > 0).ToDictionary(StringComparer.Ordinal);
        written[EndpointLabel] = endpoint;
        written[KeyLabel] = key;
        if (parent.Length > 0) written[ParentLabel] = parent;
        if (isView) written[LayerLabels.HeldReadOnly] = "true";
        written[CreatedLabel] = written[UpdatedLabel] = Text(now);
        return written;
    }

    /// <summary>The labels of an empty layer that is to show the one it stands on, as a committed snapshot.</summary>
    internal static Dictionary<string, string> WriteShared(string endpoint, string key, string parent, string chain, DateTimeOffset now)
    {
        var written = Write(endpoint, key, parent, isView: true, now, [new(RefLabel, chain)]);
        written[SharedLabel] = chain;
        return written;
    }

    /// <summary>What changes the client's labels to these, and says when; an empty value takes a label away.</summary>
    internal Dictionary<string, string> Change(IReadOnlyDictionary<string, string> labels, DateTimeOffset now)
    {
        var changes = Layer.Labels.Keys.Where(label => !IsOwn(label) && !labels.ContainsKey(label)).ToDictionary(static label => label, static _ => "", StringComparer.Ordinal);
        foreach (var (label, value) in labels) changes[label] = value;
        changes[UpdatedLabel] = Text(now);
        return changes;
    }

    private static DateTimeOffset Time(LayerRecord layer, string label) =>
        layer.Labels.TryGetValue(label, out var text) && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? time : layer.Created;

    private static string Text(DateTimeOffset time) => time.UtcDateTime.ToString("O", CultureInfo.InvariantCulture);
}
