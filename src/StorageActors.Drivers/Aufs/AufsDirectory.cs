using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Drivers.Aufs;

/// <summary>The names inside an aufs layer's directory: moby's three trees, one layer's part of each.</summary>
/// <param name="Id">The layer.</param>
/// <param name="Path">Its directory, in the driver's home or in staging.</param>
internal readonly record struct AufsDirectory(LayerId Id, string Path)
{
    /// <summary>The layer's branch.</summary>
    internal string Diff => Path + "/diff";

    /// <summary>The mount point.</summary>
    internal string Mnt => Path + "/mnt";

    /// <summary>Who uses a layer that is not mounted; see <see cref="HeldMark"/>.</summary>
    internal string Held => Path + "/held";

    internal static AufsDirectory Of(LayerLocation location) => new(location.Id, location.Path);

    internal static AufsDirectory Of(StagedLayer staged) => new(staged.Id, staged.Path);
}

/// <summary>The file <c>layers</c>: the ids of all layers below, nearest first, a line each; empty for a base layer. So nobody ever walks a chain.</summary>
internal static class AncestorsFile
{
    /// <summary>Writes it.</summary>
    internal static void Write(AufsDirectory layer, IReadOnlyList<LayerId> ancestors) =>
        SmallFile.Write(layer.Path + "/layers", string.Concat(ancestors.Select(static id => $"{id}\n")));

    /// <summary>What a child of the layer has below it: the layer and what the layer's own file says.</summary>
    /// <exception cref="PermanentDriverException">There is no such layer.</exception>
    internal static IReadOnlyList<LayerId> Below(LayerLocation parent) =>
        [parent.Id, .. Read(AufsDirectory.Of(parent)) ?? throw DriverErrors.ParentGone(parent, parent.Path + "/layers", Errno.ENOENT)];

    /// <summary>The ids in it; null when there is no such file.</summary>
    internal static IReadOnlyList<LayerId>? Read(AufsDirectory layer) =>
        SmallFile.TryRead(layer.Path + "/layers")?.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(LayerId.Parse).ToList();
}

/// <summary>
/// Says that a layer without parents is in use. It is not mounted, so the kernel cannot be asked; the file says for which boot it holds, and in which mode
/// the directory was handed out.
/// </summary>
internal sealed class HeldMark(string bootId)
{
    private const string Writing = " rw";

    /// <summary>Before the directory is handed out.</summary>
    internal void Set(AufsDirectory layer, MountMode mode) => SmallFile.Write(layer.Held, bootId + (mode == MountMode.ReadWrite ? Writing : " ro"));

    /// <summary>The mode in which the directory is in use; null when it is not, or was before a restart of the machine.</summary>
    internal MountMode? Find(AufsDirectory layer)
    {
        if (SmallFile.TryRead(layer.Held) is not { } text || !text.StartsWith(bootId, StringComparison.Ordinal)) return null;
        return text.EndsWith(Writing, StringComparison.Ordinal) ? MountMode.ReadWrite : MountMode.ReadOnly;
    }

    /// <summary>After it was given back.</summary>
    internal static void Clear(AufsDirectory layer) => SmallFile.TryDelete(layer.Held);
}
