using System.Text;
using StorageActors.Archive.Apply;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.DriverContractTests.Harness;

/// <summary>
/// A layer that a test makes step by step. Steps are collected and become a tar (a sealed layer) or writes in a mount (a writable one) when the driver is
/// asked for anything.
/// </summary>
internal sealed class LayerUnderTest(DriverUnderTest driver, string id, LayerUnderTest? parent, bool writable)
{
    private readonly List<FileOp> _pending = [];

    internal LayerId Id { get; } = LayerId.Parse(id);

    internal LayerUnderTest? Parent { get; } = parent;

    internal bool Writable { get; set; } = writable;

    /// <summary>Which ids of the host those of its container are.</summary>
    internal IdMap Ids { get; init; } = IdMap.Host;

    /// <summary>Extract before the parents are known, and rebase afterwards.</summary>
    internal bool LateParents { get; set; }

    /// <summary>Whether the directory is in the driver's home.</summary>
    internal bool Committed { get; set; }

    /// <summary>Of the tar that it was made from.</summary>
    internal ExtractResult? Result { get; set; }

    /// <summary>The tar that it was made from; set it to make a layer of other bytes than the steps'.</summary>
    internal byte[]? Tar { get; set; }

    internal LayerUnderTest Write(string path, string content, Meta? meta = null) => Write(path, Encoding.Latin1.GetBytes(content), meta);

    internal LayerUnderTest Write(string path, byte[] content, Meta? meta = null) => Add(new FileOp.Write(path, content, meta ?? Meta.File));

    internal LayerUnderTest Directory(string path, Meta? meta = null) => Add(new FileOp.MakeDirectory(path, meta ?? Meta.Directory));

    /// <summary>An entry for the root itself.</summary>
    internal LayerUnderTest Root(Meta meta) => Directory("", meta);

    internal LayerUnderTest Symlink(string path, string target) => Add(new FileOp.Symlink(path, target, Meta.File));

    internal LayerUnderTest HardLink(string path, string target) => Add(new FileOp.HardLink(path, target));

    internal LayerUnderTest Node(string path, FileType type, DeviceNumber device = default, Meta? meta = null) =>
        Add(new FileOp.Node(path, type, device, meta ?? Meta.File));

    internal LayerUnderTest Remove(string path) => Add(new FileOp.Remove(path));

    internal LayerUnderTest Opaque(string path) => Add(new FileOp.Opaque(path));

    internal LayerUnderTest Do(IEnumerable<FileOp> steps)
    {
        _pending.AddRange(steps);
        return this;
    }

    /// <summary>Makes it now.</summary>
    internal LayerUnderTest Commit(ExtractOptions? options = null)
    {
        Parent?.Commit();
        if (!Committed)
        {
            if (!Writable) Tar ??= TarContent.Of(_pending);
            driver.Make(this, options ?? new ExtractOptions());
            if (!Writable) _pending.Clear();
        }

        if (_pending.Count == 0) return this;
        using (var mount = new MountScope(driver, this, MountMode.ReadWrite, [])) mount.Do([.. _pending]);
        _pending.Clear();
        return this;
    }

    private LayerUnderTest Add(FileOp step) => Do([step]);
}
