namespace StorageActors.Protocol;

/// <summary>
/// Where a driver keeps a layer, for programs that look at the directories themselves, as engines do with what the peers call a driver's metadata. The
/// directories belong to the store: a lease, not a path that was read here, keeps a layer from going.
/// </summary>
/// <param name="Driver">The driver's name.</param>
/// <param name="Directory">The layer's own directory, with all that the store keeps of it.</param>
/// <param name="UpperDir">Its own changes; with vfs, whose layers are whole copies, its whole tree.</param>
/// <param name="WorkDir">Scratch space of the kernel beside it; overlay alone has one.</param>
/// <param name="MergedDir">Where it is mounted when it is; none with vfs, which mounts nothing.</param>
/// <param name="LowerDirs">The changes of the layers below, nearest first; empty with vfs.</param>
/// <param name="FileSystem">The type of the file system that the layer lies on: <c>ext4</c>, <c>xfs</c>, …</param>
/// <param name="Device">That file system's device number, <c>major:minor</c>.</param>
public sealed record LayerMetadata(
    string Driver, string Directory, string UpperDir, string? WorkDir, string? MergedDir, IReadOnlyList<string> LowerDirs, string FileSystem, string Device);
