namespace StorageActors.Protocol;

/// <summary>One line of an <see cref="IdMap"/>: so many ids of a container, one after the other, and the ids of the host that they are.</summary>
/// <param name="ContainerId">The first id inside the container.</param>
/// <param name="HostId">The id of the host that it is.</param>
/// <param name="Size">How many; at least one.</param>
public sealed record IdRange(uint ContainerId, uint HostId, uint Size)
{
    /// <summary>The form in which commands take it: <c>container:host:size</c>.</summary>
    public override string ToString() => FormattableString.Invariant($"{ContainerId}:{HostId}:{Size}");
}
