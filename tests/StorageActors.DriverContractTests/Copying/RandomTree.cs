using System.Buffers.Binary;
using System.Text;
using Microsoft.Win32.SafeHandles;
using StorageActors.Linux;

namespace StorageActors.DriverContractTests.Copying;

/// <summary>Makes a tree of everything that a tree can have. Each number is one name in it; the same numbers make the same tree.</summary>
internal sealed class RandomTree
{
    private readonly SafeFileHandle _root;
    private readonly List<(byte[] Path, Random Random)> _directories = [([], new Random(0))];
    private readonly List<byte[]> _others = [];
    private readonly List<byte[]> _links = [];

    private RandomTree(SafeFileHandle root) => _root = root;

    internal static void Make(string root, IEnumerable<int> numbers)
    {
        using var handle = Libc.OpenDirectory(root);
        var tree = new RandomTree(handle);
        foreach (var number in numbers) tree.Add(new Random(number));
        // Last: making names in a directory changes its times, linking a file its time of change alone.
        for (var i = tree._directories.Count - 1; i >= 0; i--) tree.SetAttributes(tree._directories[i].Path, tree._directories[i].Random, isDirectory: true);
    }

    private void Add(Random random)
    {
        var (parent, _) = _directories[random.Next(_directories.Count)];
        byte[] path = [.. parent, .. parent.Length == 0 ? ""u8 : "/"u8, .. Name(random)];
        if (path.Length > 3500 || Libc.TryFStatAt(_root, path, out _) == Errno.None) return;
        switch (random.Next(12))
        {
            case 0 or 1:
                Libc.MkdirAt(_root, path, 0x1C0);
                _directories.Add((path, random));
                return;
            case 2:
                AddChain(path, random);
                return;
            case 3 when _others.Count > 0:
                Libc.LinkAt(_root, _others[random.Next(_others.Count)], _root, path);
                return;
            case 4:
                Libc.SymlinkAt(Bytes(random, 1, 300), _root, path);
                _links.Add(path);
                Libc.FChownAt(_root, path, (uint)random.Next(70_000), (uint)random.Next(70_000));
                if (random.Next(2) == 0) Libc.SetXattrAt(_root, path, "trusted.on-link"u8, Bytes(random, 1, 40));
                Libc.UtimensAt(_root, path, Time(random), Time(random));
                break;
            case 5:
                var types = (ReadOnlySpan<FileType>)[FileType.Fifo, FileType.Socket, FileType.CharacterDevice, FileType.BlockDevice];
                var type = types[random.Next(types.Length)];
                var device = type is FileType.Fifo or FileType.Socket ? default : new DeviceNumber((uint)random.Next(1, 4096), (uint)random.Next(1 << 18));   // xfs has room for no more
                Libc.MknodAt(_root, path, type, 0x180, device);
                SetAttributes(path, random, isDirectory: false);
                break;
            default:
                WriteFile(path, random);
                SetAttributes(path, random, isDirectory: false);
                break;
        }

        _others.Add(path);
    }

    /// <summary>Deeper than what a copier may keep open.</summary>
    private void AddChain(byte[] path, Random random)
    {
        for (var depth = random.Next(1, 120); depth > 0 && path.Length < 3000; depth--)
        {
            Libc.MkdirAt(_root, path, 0x1C0);
            _directories.Add((path, random));
            path = [.. path, (byte)'/', (byte)('a' + (depth % 26))];
        }
    }

    private void WriteFile(byte[] path, Random random)
    {
        using var file = Libc.OpenAt(_root, path, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Exclusive, 0x180);
        switch (random.Next(5))
        {
            case 0:
                break;   // empty
            case 1:      // holes, in front, between and behind
                for (var i = random.Next(4); i > 0; i--) Libc.PWriteAll(file, Bytes(random, 1, 9000), random.Next(1 << 20));
                Libc.FTruncate(file, (1 << 20) + random.Next(1 << 20));
                break;
            case 2:
                Libc.WriteAll(file, Bytes(random, 10_000, 300_000));
                break;
            default:
                Libc.WriteAll(file, Bytes(random, 1, 5000));
                break;
        }
    }

    private void SetAttributes(byte[] path, Random random, bool isDirectory)
    {
        var name = path.Length == 0 ? "."u8.ToArray() : path;
        var status = Libc.FStatAt(_root, name);
        Libc.FChownAt(_root, name, (uint)random.Next(70_000), random.Next(3) == 0 ? 0 : (uint)random.Next(70_000));
        if (status.IsRegular || isDirectory)
        {
            for (var i = random.Next(3); i > 0; i--) Libc.SetXattrAt(_root, name, Encoding.ASCII.GetBytes($"user.{random.Next(5)}"), Bytes(random, 0, 400));
            if (random.Next(4) == 0) Libc.SetXattrAt(_root, name, "system.posix_acl_access"u8, Acl(random));
            if (isDirectory && random.Next(3) == 0) Libc.SetXattrAt(_root, name, "system.posix_acl_default"u8, Acl(random));
            if (status.IsRegular && random.Next(4) == 0) Libc.SetXattrAt(_root, name, "security.capability"u8, Capability(random));
        }

        if (random.Next(3) == 0) Libc.SetXattrAt(_root, name, "trusted.overlay.opaque"u8, Bytes(random, 1, 10));
        if (status.IsRegular || isDirectory || random.Next(2) == 0) Libc.FChmodAt(_root, name, (uint)random.Next(0x1000));
        Libc.UtimensAt(_root, name, Time(random), Time(random));
    }

    private static byte[] Name(Random random)
    {
        var name = Bytes(random, 1, random.Next(10) == 0 ? 255 : 12);
        for (var i = 0; i < name.Length; i++) if (name[i] is 0 or (byte)'/') name[i] = (byte)'x';
        return name is [(byte)'.'] or [(byte)'.', (byte)'.'] ? [(byte)'y'] : name;
    }

    private static byte[] Bytes(Random random, int least, int most)
    {
        var bytes = new byte[random.Next(least, most + 1)];
        random.NextBytes(bytes);
        for (var i = 0; i < bytes.Length; i++) if (bytes[i] == 0) bytes[i] = 1;   // a link's target has no NUL
        return bytes;
    }

    private static TimeSpec Time(Random random) => new(random.Next(), random.Next(1_000_000_000));

    private static byte[] Capability(Random random)
    {
        var value = new byte[20];
        BinaryPrimitives.WriteUInt32LittleEndian(value, 0x0200_0001);
        BinaryPrimitives.WriteUInt32LittleEndian(value.AsSpan(4), (uint)random.Next(1, 0x4000));
        return value;
    }

    /// <summary>An owner, one more user, the group, a mask and the others.</summary>
    private static byte[] Acl(Random random)
    {
        var value = new byte[4 + (5 * 8)];
        BinaryPrimitives.WriteUInt32LittleEndian(value, 2);
        var tags = (ReadOnlySpan<ushort>)[0x01, 0x02, 0x04, 0x10, 0x20];
        for (var i = 0; i < tags.Length; i++)
        {
            var entry = value.AsSpan(4 + (i * 8));
            BinaryPrimitives.WriteUInt16LittleEndian(entry, tags[i]);
            BinaryPrimitives.WriteUInt16LittleEndian(entry[2..], (ushort)random.Next(8));
            BinaryPrimitives.WriteUInt32LittleEndian(entry[4..], tags[i] == 0x02 ? (uint)random.Next(70_000) : uint.MaxValue);
        }

        return value;
    }
}
