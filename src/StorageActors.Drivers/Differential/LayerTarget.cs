using Microsoft.Win32.SafeHandles;
using StorageActors.Archive.Apply;
using StorageActors.Linux;

namespace StorageActors.Drivers.Differential;

/// <summary>
/// A layer's directory with those of the layers below, open, as the archive part wants them. Each has its own content, and no other's, in <c>diff</c>.
/// </summary>
internal sealed class LayerTarget : IDisposable
{
    private readonly List<SafeFileHandle> _handles = [];

    internal LayerTarget(string layer, IReadOnlyList<LayerLocation>? parents, IWhiteoutFormat format, OwnerWriter? owners = null, uint rootMode = ExtractTarget.DefaultRootMode)
    {
        try
        {
            ToExtract = new ExtractTarget
            {
                Root = Open(layer + "/diff"),
                LayerDirectory = Open(layer),
                Whiteouts = format,
                Owners = owners ?? OwnerWriter.Exact,
                RootMode = rootMode,
                Below = parents is null ? null : Stack(parents, format),
            };
        }
        catch (Exception)
        {
            Dispose();
            throw;
        }
    }

    internal ExtractTarget ToExtract { get; }

    /// <summary>The layer's own content.</summary>
    internal SafeFileHandle Root => ToExtract.Root;

    /// <summary>The layer's directory.</summary>
    internal SafeFileHandle Directory => ToExtract.LayerDirectory;

    /// <summary>What the layers below show; to be asked only when they are known.</summary>
    internal ILowerView Below => ToExtract.Below ?? throw new InvalidOperationException("the layers below are not known");

    public void Dispose()
    {
        foreach (var handle in _handles) handle.Dispose();
    }

    /// <summary>What the layers show together, worked out from their directories: nothing is mounted.</summary>
    private ILowerView Stack(IReadOnlyList<LayerLocation> parents, IWhiteoutFormat format) =>
        parents.Count == 0 ? EmptyLowerView.Instance
            : new StackedLowerView(
                parents.Select(parent => Open(parent.Path + "/diff")).ToList(), format,
                parents.All(static parent => parent.Ids.IsHost()) ? null : [.. parents.Select(static parent => parent.Ids)]);

    private SafeFileHandle Open(string path)
    {
        var handle = Libc.OpenDirectory(path);
        _handles.Add(handle);
        return handle;
    }
}
