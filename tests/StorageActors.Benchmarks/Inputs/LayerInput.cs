namespace StorageActors.Benchmarks.Inputs;

/// <summary>A layer's tar as it comes from a registry, in three forms.</summary>
/// <param name="Name">What it holds, in a few words.</param>
/// <param name="Tar">The plain tar.</param>
/// <param name="Gzip">Compressed by <c>gzip -6</c>, as most images are.</param>
/// <param name="Zstd">Compressed by <c>zstd -3</c>.</param>
internal sealed record LayerInput(string Name, string Tar, string Gzip, string Zstd);
