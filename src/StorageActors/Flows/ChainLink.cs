using StorageActors.Archive.Apply;
using StorageActors.Protocol;

namespace StorageActors.Flows;

/// <summary>One layer of a chain that a flow makes; the flow's own, changed by it alone.</summary>
/// <param name="index">Its place, base first.</param>
/// <param name="part">What was asked for.</param>
/// <param name="id">The id that it has if it is made here.</param>
internal sealed class ChainLink(int index, ChainPart part, LayerId id)
{
    internal int Index { get; } = index;

    internal ChainPart Part { get; } = part;

    internal TicketId Ticket => Part.Ticket;

    /// <summary>The id that it has if it is made here.</summary>
    internal LayerId OwnId { get; } = id;

    /// <summary>The layer that takes this place: ours, or one of the same content.</summary>
    internal LayerId Id { get; set; } = id;

    internal LinkState State { get; set; }

    internal ExtractResult? Extracted { get; set; }

    internal double Seconds { get; set; }

    /// <summary>Whether the layers below were known when it was staged, so that nothing is left to be settled.</summary>
    internal bool KnewParents { get; set; }

    /// <summary>The layer below for which the catalog has said that nobody else makes, or has, the same.</summary>
    internal Claim? ClaimedOn { get; set; }

    /// <summary>Whether its ticket is known to the stagings, and has to be ended.</summary>
    internal bool HasStaging { get; set; }

    internal bool IsReused { get; set; }

    /// <summary>The record: of a layer that is there, or as it was written into the staging directory.</summary>
    internal LayerRecord? Record { get; set; }

    /// <summary>What the content's digest is, or is expected to be: an extraction that finds another one fails.</summary>
    internal Digest? DiffId => Record is not null ? Record.DiffId : Extracted?.DiffId ?? Part.Expect.DiffId;

    internal bool IsClaimedOn(LayerId? below) => ClaimedOn is { } claim && claim.Below == below;

    /// <summary>The layer that is there takes this place.</summary>
    internal void Take(LayerRecord layer) => (Id, Record, State, IsReused) = (layer.Id, layer, LinkState.Done, true);
}

/// <summary>That this flow alone makes some content on a layer, or (null) on nothing.</summary>
internal sealed record Claim(LayerId? Below);

/// <summary>Where a layer of a chain stands.</summary>
internal enum LinkState
{
    /// <summary>Not begun.</summary>
    Planned,

    /// <summary>Another flow makes it.</summary>
    Awaited,

    /// <summary>Its content is being made.</summary>
    Staging,

    /// <summary>Its content is there; what needs the layers below is not settled.</summary>
    Staged,

    /// <summary>Complete, with its record, in the staging directory.</summary>
    Ready,

    /// <summary>In the store, and in the journal.</summary>
    Done,
}

/// <summary>What a flow is to make of one part of a chain.</summary>
/// <param name="Ticket">Its ticket.</param>
/// <param name="Source">Its tar; null for an empty writable layer.</param>
/// <param name="Spec">What it is to be called.</param>
/// <param name="Expect">What is expected of it.</param>
internal sealed record ChainPart(TicketId Ticket, BlobSource? Source, StoreProtocol.LayerSpec Spec, StoreProtocol.Expectations Expect)
{
    private static readonly IReadOnlyDictionary<string, string> NoLabels = new Dictionary<string, string>(StringComparer.Ordinal);

    internal IReadOnlyList<string> Names => Spec.Names ?? [];

    internal IReadOnlyDictionary<string, string> Labels => Spec.Labels ?? NoLabels;

    internal IReadOnlyList<BigData> Documents => Spec.Documents ?? [];

    /// <summary>The map that was asked for an empty writable layer, if one was.</summary>
    internal IdMap? Ids { get; init; }
}
