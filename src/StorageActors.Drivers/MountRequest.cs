using StorageActors.Protocol;

namespace StorageActors.Drivers;

/// <summary>One mount to make.</summary>
/// <param name="Layer">The layer.</param>
/// <param name="Parents">The layers below, nearest first.</param>
/// <param name="Mode">Read-write only for a writable layer.</param>
/// <param name="Options">Checked words: see <see cref="MountOptions.Options"/>.</param>
internal sealed record MountRequest(LayerLocation Layer, IReadOnlyList<LayerLocation> Parents, MountMode Mode, IReadOnlyList<string> Options)
{
    /// <summary>Whose ids the mount shows; those of the layer's own container, unless a mount that is not written to asks for others.</summary>
    public IdMap Ids { get; init; } = Layer.Ids;
}

/// <summary>A mount that is there.</summary>
/// <param name="Path">Where.</param>
/// <param name="Mode">As the kernel says, not as was asked.</param>
internal sealed record ActiveMount(string Path, MountMode Mode)
{
    /// <summary>Whose ids it shows.</summary>
    public IdMap Ids { get; init; } = IdMap.Host;
}
