using StorageActors.Protocol;

namespace StorageActors.Drivers;

/// <summary>One mount to make.</summary>
/// <param name="Layer">The layer.</param>
/// <param name="Parents">The layers below, nearest first.</param>
/// <param name="Mode">Read-write only for a writable layer.</param>
/// <param name="Options">Checked words: see <see cref="MountOptions.Options"/>.</param>
internal sealed record MountRequest(LayerLocation Layer, IReadOnlyList<LayerLocation> Parents, MountMode Mode, IReadOnlyList<string> Options);

/// <summary>A mount that is there.</summary>
/// <param name="Path">Where.</param>
/// <param name="Mode">As the kernel says, not as was asked.</param>
internal sealed record ActiveMount(string Path, MountMode Mode);
