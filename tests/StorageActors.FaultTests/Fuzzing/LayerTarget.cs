using StorageActors.Archive.Apply;
using StorageActors.Archive.Diff;
using StorageActors.FaultTests.Host;
using StorageActors.Linux;
using StorageActors.TestSupport;

namespace StorageActors.FaultTests.Fuzzing;

/// <summary>The whole extraction, onto a disk: nothing outside the layer changes, and what was accepted is given back byte for byte.</summary>
internal sealed class LayerTarget : IDisposable
{
    private const string Sentinel = "nobody may touch this";
    private readonly TempDirectory _home = new();

    private LayerTarget()
    {
        Directory.CreateDirectory(_home["outside"]);
        File.WriteAllText(Path.Combine(_home["outside"], "sentinel"), Sentinel);
    }

    internal static FuzzTarget Open()
    {
        RequiredTiers.SkipUnlessRoot();
        var target = new LayerTarget();
        return new FuzzTarget(
            "layer", [.. FuzzTargets.Tars(), SampleLayers.Gzip(SampleLayers.Small)], target.Extract, static e => e is LayerApplyException, 128L << 20) { Owned = target };
    }

    private void Extract(byte[] bytes)
    {
        Libc.Mkdir(_home["layer"], 0x1c0);
        Libc.Mkdir(_home["layer/diff"], 0x1ed);
        try
        {
            using var root = Libc.OpenDirectory(_home["layer/diff"]);
            using var layer = Libc.OpenDirectory(_home["layer"]);
            var to = new ExtractTarget { Root = root, LayerDirectory = layer, Whiteouts = new OverlayWhiteouts(escapes: true), Below = EmptyLowerView.Instance };
            var limits = new ExtractOptions { MaximumSize = 64 << 20, MaximumEntries = 1000 };
            var result = LayerExtractor.Extract(new MemoryStream(bytes), to, limits, observer: null, CancellationToken.None, out _);
            ExactDiff.Write(root, layer, Stream.Null, result.DiffId, CancellationToken.None);
        }
        finally
        {
            DirectoryTree.Remove(_home.Handle, "layer"u8);
            CheckOutside();
        }
    }

    private void CheckOutside()
    {
        var found = Directory.EnumerateFileSystemEntries(_home.Path, "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(_home.Path, path)).Order();
        if (!found.SequenceEqual(["outside", "outside/sentinel"], StringComparer.Ordinal)) throw new InvalidDataException("written outside of the layer: " + string.Join(' ', found));
        if (File.ReadAllText(Path.Combine(_home["outside"], "sentinel")) != Sentinel) throw new InvalidDataException("a file outside of the layer was changed");
    }

    public void Dispose() => _home.Dispose();
}
