using System.Text;
using StorageActors.Archive.Tar;

namespace StorageActors.UnitTests.Archive.Apply;

/// <summary>Builds the tar of a layer. Names are Latin-1, so that a test can write any byte.</summary>
internal sealed class LayerTar
{
    /// <summary>What entries get that say nothing else.</summary>
    internal const long Time = 1_700_000_000;

    private readonly MemoryStream _bytes = new();
    private readonly TarWriter _writer;

    internal LayerTar() => _writer = new TarWriter(_bytes, nanoseconds: true);

    internal LayerTar File(
        string name, string content = "", int mode = 0x1a4, long uid = 0, long gid = 0, long time = Time, int nanoseconds = 0, params (string Name, string Value)[] xattrs)
    {
        Add(TarEntryType.RegularFile, name, "", mode, uid, gid, new TarTime(time, nanoseconds), content.Length, 0, 0, xattrs);
        if (content.Length > 0) _writer.WritePayload(Latin1(content));
        return this;
    }

    internal LayerTar Dir(string name, int mode = 0x1ed, long uid = 0, long gid = 0, long time = Time, params (string Name, string Value)[] xattrs) =>
        Add(TarEntryType.Directory, name, "", mode, uid, gid, new TarTime(time), 0, 0, 0, xattrs);

    internal LayerTar Symlink(string name, string target, long uid = 0, long gid = 0, long time = Time, params (string Name, string Value)[] xattrs) =>
        Add(TarEntryType.SymbolicLink, name, target, 0x1ff, uid, gid, new TarTime(time), 0, 0, 0, xattrs);

    internal LayerTar Link(string name, string target, int mode = 0x1a4, long time = Time) =>
        Add(TarEntryType.HardLink, name, target, mode, 0, 0, new TarTime(time), 0, 0, 0, []);

    internal LayerTar Device(string name, int major, int minor, TarEntryType type = TarEntryType.CharacterDevice, int mode = 0x1b6) =>
        Add(type, name, "", mode, 0, 0, new TarTime(Time), 0, major, minor, []);

    internal LayerTar Fifo(string name, int mode = 0x1a4) => Add(TarEntryType.Fifo, name, "", mode, 0, 0, new TarTime(Time), 0, 0, 0, []);

    internal LayerTar Whiteout(string path)
    {
        var slash = path.LastIndexOf('/') + 1;
        return File(path.Insert(slash, ".wh."), mode: 0, time: 0);
    }

    internal LayerTar Opaque(string directory) => File(directory.Length == 0 ? ".wh..wh..opq" : directory + "/.wh..wh..opq", mode: 0, time: 0);

    internal byte[] ToArray()
    {
        _writer.Finish();
        return _bytes.ToArray();
    }

    private LayerTar Add(
        TarEntryType type, string name, string link, int mode, long uid, long gid, TarTime time, long size, int major, int minor,
        (string Name, string Value)[] xattrs)
    {
        _writer.WriteHeader(new TarItem
        {
            Type = type, Name = Latin1(name), LinkName = Latin1(link), Mode = mode, Uid = uid, Gid = gid, Size = size, Mtime = time,
            DeviceMajor = major, DeviceMinor = minor,
            Xattrs = xattrs.Select(xattr => new TarXattr(Latin1(xattr.Name), Latin1(xattr.Value))).ToArray(),
        });
        return this;
    }

    private static byte[] Latin1(string text) => Encoding.Latin1.GetBytes(text);
}
