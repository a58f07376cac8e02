using Microsoft.Win32.SafeHandles;
using StorageActors.Archive.Apply;
using StorageActors.Archive.Digests;
using StorageActors.Archive.Tar;
using StorageActors.Archive.TarSplit;
using StorageActors.Linux;

namespace StorageActors.Archive.Diff;

/// <summary>
/// Compares a sealed layer's content with the record of its archive: type, owner, mode, size, time, target of links and attributes of every entry that the
/// layer still has, and, when asked, the content. What a layer rightly does not keep is no difference: entries that later ones replace, times of directories,
/// attributes that the file system refused.
/// </summary>
internal static class ContentVerifier
{
    private const int MaximumLines = 1000;

    /// <summary>One line for each difference; at most 1000.</summary>
    internal static IReadOnlyList<string> Verify(SafeFileHandle root, Stream record, IWhiteoutFormat format, bool full, CancellationToken stop)
    {
        var lines = new List<string>();
        foreach (var entry in ExpectedTree.Read(record, format))
        {
            stop.ThrowIfCancellationRequested();
            if (Check(root, entry, full) is { } difference) lines.Add($"/{PathText.Escape(entry.Path)}: {difference}");
            if (lines.Count == MaximumLines) break;
        }

        return lines;
    }

    private static string? Check(SafeFileHandle root, ExpectedEntry entry, bool full)
    {
        var errno = Libc.TryOpenAt2(
            root, entry.Path, OpenFlags.Path | OpenFlags.NoFollow, ResolveFlags.Beneath | ResolveFlags.NoSymlinks, 0, out var file);
        using (file)
        {
            if (errno is Errno.ENOENT or Errno.ENOTDIR or Errno.ELOOP) return "it is missing";
            if (errno != Errno.None) throw Libc.Failure("openat2", root, entry.Path, errno);
            var status = Libc.FStat(file);
            return CheckStatus(entry, status)
                ?? (status.IsSymbolicLink && !Libc.ReadlinkAt(file, default).AsSpan().SequenceEqual(entry.LinkName) ? "it links to something else" : null)
                ?? CheckAttributes(file, entry)
                ?? (full && status.IsRegular && entry.Crc is { } crc && ContentOf(root, entry.Path) != crc ? "its content is not what was applied" : null);
        }
    }

    private static string? CheckStatus(ExpectedEntry entry, in FileStatus status)
    {
        if (status.Type != entry.Type) return $"a {status.Type}, not a {entry.Type}";
        if (entry.IsLink) return null; // Its attributes are those of the entry it is a name of.
        if ((status.UserId, status.GroupId) != (entry.Uid, entry.Gid)) return $"owner {status.UserId}:{status.GroupId}, not {entry.Uid}:{entry.Gid}";
        if (!status.IsSymbolicLink && status.Permissions != entry.Mode) return $"mode {Octal(status.Permissions)}, not {Octal(entry.Mode)}";
        if (status.IsRegular && status.Size != entry.Size) return $"{status.Size} bytes, not {entry.Size}";
        if (status.Type is FileType.CharacterDevice or FileType.BlockDevice && status.Device != entry.Device) return "another device";
        return !status.IsDirectory && entry.Seconds is { } seconds && status.ModifyTime.Seconds != seconds ? "changed at another time" : null;
    }

    private static string? CheckAttributes(SafeFileHandle file, ExpectedEntry entry)
    {
        foreach (var (name, value) in entry.Attributes)
        {
            var errno = Libc.TryGetXattrAt(file, default, name, new byte[value.Length + 1], out var length);
            if (errno is Errno.EOPNOTSUPP or Errno.ENODATA) continue; // Refused when it was applied, and warned of then.
            if (errno == Errno.ERANGE || (errno == Errno.None && length != value.Length)) return $"attribute {PathText.Escape(name)} is another";
            if (errno == Errno.None && !(Libc.GetXattrAt(file, default, name) ?? []).AsSpan().SequenceEqual(value)) return $"attribute {PathText.Escape(name)} is another";
        }

        return null;
    }

    private static ulong ContentOf(SafeFileHandle root, byte[] path)
    {
        using var file = Libc.OpenAt2(root, path, OpenFlags.NoFollow | OpenFlags.NonBlocking, ResolveFlags.Beneath | ResolveFlags.NoSymlinks);
        var block = GC.AllocateUninitializedArray<byte>(1 << 20);
        ulong crc = 0;
        for (int count; (count = Libc.ReadFully(file, block)) > 0;) crc = Crc64.Append(crc, block.AsSpan(0, count));
        return crc;
    }

    private static string Octal(uint mode) => "0" + Convert.ToString(mode, 8);
}

/// <summary>What a layer must have at a path.</summary>
internal sealed record ExpectedEntry(
    byte[] Path, FileType Type, bool IsLink, uint Uid, uint Gid, uint Mode, long Size, long? Seconds, DeviceNumber Device, byte[] LinkName, ulong? Crc,
    IReadOnlyList<(byte[] Name, byte[] Value)> Attributes);

/// <summary>What a layer's content must be by the record of its archive: the last entry of a path counts, and takes what was below it if it is no directory.</summary>
internal static class ExpectedTree
{
    internal static IEnumerable<ExpectedEntry> Read(Stream record, IWhiteoutFormat format)
    {
        var entries = new SortedDictionary<byte[], ExpectedEntry>(Comparer<byte[]>.Create(ByteStringComparer.Order));
        using var headers = new TarSplitHeaders(record);
        var scratch = new ByteBuffer();
        while (headers.MoveNext())
        {
            var path = LayerPath.Clean(headers.Current.Name, scratch, out var fault).ToArray();
            if (fault is not null || path.Length == 0 || EntryRoles.Of(path, out _) != EntryRole.Ordinary) continue;
            if (Make(headers, path, entries, format) is not { } expected) continue;
            if (expected.Type != FileType.Directory && entries.TryGetValue(path, out var before) && before.Type == FileType.Directory) RemoveBelow(entries, path);
            entries[path] = expected;
        }

        return entries.Values;
    }

    private static ExpectedEntry? Make(TarSplitHeaders headers, byte[] path, SortedDictionary<byte[], ExpectedEntry> entries, IWhiteoutFormat format)
    {
        var entry = headers.Current;
        if (entry.Type == TarEntryType.HardLink)
        {
            var target = LayerPath.Clean(entry.LinkName, new ByteBuffer(), out _).ToArray();
            // One whose target is not in this layer became a copy of what is below.
            return entries.TryGetValue(target, out var linked) ? linked with { Path = path, IsLink = true, Attributes = [] } : null;
        }

        if (TypeOf(entry.Type) is not { } type) return null;
        return new ExpectedEntry(
            path, type, false, (uint)entry.Uid, (uint)entry.Gid, (uint)entry.Mode, entry.Size, entry.Mtime.Seconds > 0 && entry.Mtime.Seconds < int.MaxValue ? entry.Mtime.Seconds : null,
            new DeviceNumber((uint)entry.DeviceMajor, (uint)entry.DeviceMinor), entry.LinkName.ToArray(), headers.Crc, Attributes(entry, format));
    }

    private static List<(byte[] Name, byte[] Value)> Attributes(TarEntry entry, IWhiteoutFormat format)
    {
        var kept = new List<(byte[] Name, byte[] Value)>();
        var renamed = new ByteBuffer();
        foreach (var xattr in entry.Xattrs)
        {
            // An ACL's ids and a measurement may be stored in another form than they came.
            if (xattr.Name.Span.StartsWith("system."u8) || XattrNamespaces.IsMeasurement(xattr.Name.Span)) continue;
            var rule = format.OnExtract(xattr.Name.Span, renamed);
            if (rule == XattrRule.Keep) kept.Add((xattr.Name.ToArray(), xattr.Value.ToArray()));
            else if (rule == XattrRule.Rename) kept.Add((renamed.Span.ToArray(), xattr.Value.ToArray()));
        }

        return kept;
    }

    private static FileType? TypeOf(TarEntryType type) => type switch
    {
        TarEntryType.RegularFile => FileType.Regular,
        TarEntryType.SymbolicLink => FileType.SymbolicLink,
        TarEntryType.CharacterDevice => FileType.CharacterDevice,
        TarEntryType.BlockDevice => FileType.BlockDevice,
        TarEntryType.Directory => FileType.Directory,
        TarEntryType.Fifo => FileType.Fifo,
        _ => null,
    };

    private static void RemoveBelow(SortedDictionary<byte[], ExpectedEntry> entries, byte[] path)
    {
        byte[] prefix = [.. path, (byte)'/'];
        foreach (var below in entries.Keys.Where(key => key.AsSpan().StartsWith(prefix)).ToList()) entries.Remove(below);
    }
}
