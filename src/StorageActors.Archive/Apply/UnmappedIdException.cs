using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Archive.Apply;

/// <summary>An owner has no counterpart in a layer's map of ids; the message names it, the file and the map.</summary>
internal sealed class UnmappedIdException(string message) : Exception(message)
{
    internal static UnmappedIdException OfHost(string what, uint id, ReadOnlySpan<byte> path, IdMap ids) => new(FormattableString.Invariant(
        $"/{PathText.Escape(path)}: the host's {what} {id} is none of the container, whose map is {ids}"));

    internal static UnmappedIdException OfContainer(string what, uint id, IdMap ids) => new(FormattableString.Invariant(
        $"the container's {what} {id} is none of the host: the map, {ids}, does not reach so far"));
}
