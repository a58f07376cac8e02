using System.Text;
using StorageActors.Archive.Tar;
using StorageActors.Linux;

namespace StorageActors.DriverContractTests.Harness;

/// <summary>Steps as a layer's tar: what is removed becomes a whiteout, directories on the way get no entries of their own.</summary>
internal static class TarContent
{
    internal static byte[] Of(IEnumerable<FileOp> steps)
    {
        using var stream = new MemoryStream();
        var writer = new TarWriter(stream, nanoseconds: true);
        foreach (var step in steps) Add(writer, step);
        writer.Finish();
        return stream.ToArray();
    }

    private static void Add(TarWriter writer, FileOp step)
    {
        switch (step)
        {
            case FileOp.Write write:
                Entry(writer, write.Path, TarEntryType.RegularFile, write.Meta, size: write.Content.Length);
                if (write.Content.Length > 0) writer.WritePayload(write.Content);
                break;
            case FileOp.MakeDirectory directory:
                Entry(writer, directory.Path.Length == 0 ? "./" : directory.Path, TarEntryType.Directory, directory.Meta);
                break;
            case FileOp.Symlink link:
                Entry(writer, link.Path, TarEntryType.SymbolicLink, link.Meta, link.Target);
                break;
            case FileOp.HardLink link:
                Entry(writer, link.Path, TarEntryType.HardLink, Meta.File, link.Target);
                break;
            case FileOp.Node node:
                var type = node.Type switch
                {
                    FileType.Fifo => TarEntryType.Fifo,
                    FileType.BlockDevice => TarEntryType.BlockDevice,
                    _ => TarEntryType.CharacterDevice,
                };
                Entry(writer, node.Path, type, node.Meta, device: node.Device);
                break;
            case FileOp.Remove remove:
                var slash = remove.Path.LastIndexOf('/') + 1;
                Entry(writer, remove.Path.Insert(slash, ".wh."), TarEntryType.RegularFile, Meta.Of("0"));
                break;
            case FileOp.Opaque opaque:
                Entry(writer, opaque.Path.Length == 0 ? ".wh..wh..opq" : opaque.Path + "/.wh..wh..opq", TarEntryType.RegularFile, Meta.Of("0"));
                break;
        }
    }

    private static void Entry(
        TarWriter writer, string name, TarEntryType type, Meta meta, string target = "", long size = 0, DeviceNumber device = default)
    {
        var xattrs = meta.Xattrs.Select(xattr => new TarXattr(Encoding.Latin1.GetBytes(xattr.Name), xattr.Value)).ToArray();
        writer.WriteHeader(new TarItem
        {
            Type = type,
            Name = Encoding.Latin1.GetBytes(name),
            LinkName = Encoding.Latin1.GetBytes(target),
            Mode = (int)meta.Mode,
            Uid = meta.Uid,
            Gid = meta.Gid,
            Size = size,
            Mtime = new TarTime(meta.Mtime.Seconds, (int)meta.Mtime.Nanoseconds),
            DeviceMajor = device.Major,
            DeviceMinor = device.Minor,
            Xattrs = xattrs,
        });
    }
}
