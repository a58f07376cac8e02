using System.Text.Json;
using System.Text.Json.Serialization;

namespace StorageActors.Docker.Wire;

/// <summary><c>GraphDriver.Init</c>.</summary>
/// <param name="Home">Where dockerd would have a driver keep its data; this one has a store of its own.</param>
/// <param name="Opts">The <c>--storage-opt</c> strings.</param>
/// <param name="UidMaps">Maps of <c>--userns-remap</c>.</param>
/// <param name="GidMaps">Maps of <c>--userns-remap</c>.</param>
internal sealed record InitRequest(
    string? Home,
    IReadOnlyList<string>? Opts,
    [property: JsonPropertyName("UIDMaps")] IReadOnlyList<JsonElement>? UidMaps,
    [property: JsonPropertyName("GIDMaps")] IReadOnlyList<JsonElement>? GidMaps);

/// <summary>What every other method is asked with; each uses some of it.</summary>
/// <param name="Id">The layer.</param>
/// <param name="Parent">The layer below, or the one to compare with; empty for none.</param>
/// <param name="MountLabel">The SELinux label of the mount.</param>
/// <param name="StorageOpt">Options of one layer, such as <c>size</c>.</param>
internal sealed record LayerRequest(
    [property: JsonPropertyName("ID")] string? Id,
    string? Parent = null,
    string? MountLabel = null,
    IReadOnlyDictionary<string, string>? StorageOpt = null);
