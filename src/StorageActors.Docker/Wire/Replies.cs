using System.Text.Json.Serialization;

namespace StorageActors.Docker.Wire;

/// <summary>The answer of a method that has nothing to say but whether it worked.</summary>
/// <param name="Err">Why it did not; empty if it did.</param>
internal sealed record ErrorReply(string Err);

/// <summary><c>Plugin.Activate</c>.</summary>
/// <param name="Implements">The plugin's kinds.</param>
internal sealed record ActivateReply(IReadOnlyList<string> Implements);

/// <summary><c>GraphDriver.Capabilities</c>; Docker reads it nested, whatever its document says.</summary>
/// <param name="Capabilities">They.</param>
internal sealed record CapabilitiesReply(DriverCapabilities Capabilities);

/// <summary>What the driver promises.</summary>
/// <param name="ReproducesExactDiffs">Whether a layer comes back as the bytes it was made of, so that Docker need not keep their structure.</param>
internal sealed record DriverCapabilities(bool ReproducesExactDiffs);

/// <summary><c>GraphDriver.Get</c>.</summary>
/// <param name="Dir">Where the layer is to be seen.</param>
/// <param name="Err">Empty.</param>
internal sealed record GetReply(string Dir, string Err = "");

/// <summary><c>GraphDriver.Exists</c>.</summary>
/// <param name="Exists">Whether there is such a layer.</param>
internal sealed record ExistsReply(bool Exists);

/// <summary><c>GraphDriver.Status</c>.</summary>
/// <param name="Status">Pairs of a name and a value.</param>
internal sealed record StatusReply(IReadOnlyList<string[]> Status);

/// <summary><c>GraphDriver.GetMetadata</c>.</summary>
/// <param name="Metadata">What <c>docker inspect</c> shows as the driver's data.</param>
/// <param name="Err">Empty.</param>
internal sealed record MetadataReply(IReadOnlyDictionary<string, string> Metadata, string Err = "");

/// <summary><c>GraphDriver.Changes</c>.</summary>
/// <param name="Changes">What differs.</param>
/// <param name="Err">Empty.</param>
internal sealed record ChangesReply(IReadOnlyList<DriverChange> Changes, string Err = "");

/// <summary>One difference.</summary>
/// <param name="Path">Absolute in the layer.</param>
/// <param name="Kind">0 modified, 1 added, 2 deleted.</param>
internal sealed record DriverChange(string Path, int Kind);

/// <summary><c>GraphDriver.DiffSize</c> and <c>ApplyDiff</c>.</summary>
/// <param name="Size">Lengths of what is no directory, each inode once.</param>
/// <param name="Err">Empty.</param>
internal sealed record SizeReply(long Size, string Err = "");

/// <summary>How Docker's JSON is read and written: names as they stand.</summary>
[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(InitRequest))]
[JsonSerializable(typeof(LayerRequest))]
[JsonSerializable(typeof(ErrorReply))]
[JsonSerializable(typeof(ActivateReply))]
[JsonSerializable(typeof(CapabilitiesReply))]
[JsonSerializable(typeof(GetReply))]
[JsonSerializable(typeof(ExistsReply))]
[JsonSerializable(typeof(StatusReply))]
[JsonSerializable(typeof(MetadataReply))]
[JsonSerializable(typeof(ChangesReply))]
[JsonSerializable(typeof(SizeReply))]
internal sealed partial class DockerJson : JsonSerializerContext;
