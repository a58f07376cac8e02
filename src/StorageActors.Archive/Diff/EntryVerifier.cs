using Microsoft.Win32.SafeHandles;
using StorageActors.Archive.Apply;
using StorageActors.Archive.Digests;
using StorageActors.Archive.Tar;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Archive.Diff;

/// <summary>Compares one file with its entry; reads the content of a file with several names once.</summary>
internal sealed class EntryVerifier(IWhiteoutFormat format, IdMap ids, bool full, bool checksOwners, CancellationToken stop)
{
    private readonly HashSet<(DeviceNumber FileSystem, ulong Inode)> _read = [];
    private readonly ByteBuffer _archived = new();
    private byte[]? _block;

    /// <summary>What differs, in a few words; null when nothing does.</summary>
    /// <param name="directory">The directory that it is in; itself when <paramref name="name"/> is empty.</param>
    /// <param name="name">Its name there.</param>
    /// <param name="status">Its attributes.</param>
    /// <param name="entry">What it must be.</param>
    internal string? Check(SafeFileHandle directory, ReadOnlySpan<byte> name, in FileStatus status, ExpectedEntry entry)
    {
        if (CheckStatus(status, entry) is { } difference) return difference;
        if (status.IsSymbolicLink && !Libc.ReadlinkAt(directory, name).AsSpan().SequenceEqual(entry.LinkName)) return "it links to something else";
        if (CheckAttributes(directory, name, entry) is { } attribute) return attribute;
        if (!full || !status.IsRegular) return null;
        if (status.Links > 1 && !_read.Add((status.FileSystem, status.Inode))) return null;
        return ContentOf(directory, name, entry.Extents) == entry.Crc ? null : "its content is not what was applied";
    }

    private string? CheckStatus(in FileStatus status, ExpectedEntry entry)
    {
        if (status.Type != entry.Type) return $"a {status.Type}, not a {entry.Type}";
        if (checksOwners && (ids.UserToContainer(status.UserId), ids.GroupToContainer(status.GroupId)) != (entry.Uid, entry.Gid))
            return $"owner {status.UserId}:{status.GroupId}, not {entry.Uid}:{entry.Gid}{(ids.IsHost() ? "" : $" ({ids})")}";
        if (!status.IsSymbolicLink && status.Permissions != entry.Mode) return $"mode {Octal(status.Permissions)}, not {Octal(entry.Mode)}";
        if (status.IsRegular && status.Size != entry.Size) return $"{status.Size} bytes, not {entry.Size}";
        if (status.Type is FileType.CharacterDevice or FileType.BlockDevice && status.Device != entry.Device) return "another device";
        return entry.Seconds is { } seconds && status.ModifyTime.Seconds != seconds ? "changed at another time" : null;
    }

    private string? CheckAttributes(SafeFileHandle directory, ReadOnlySpan<byte> name, ExpectedEntry entry)
    {
        foreach (var (attribute, value) in entry.Attributes)
        {
            if (Libc.GetXattrAt(directory, name, attribute) is not { } found) return KnownLosses.Attribute(attribute);
            found = ShownAs(attribute, found);
            if (found.AsSpan().SequenceEqual(value)) continue;
            // Inside a user namespace the kernel adds whose root is meant.
            if (!attribute.AsSpan().SequenceEqual(XattrNamespaces.Capability) || !FileCapability.ToVersion2(found).AsSpan().SequenceEqual(value))
                return $"the attribute {PathText.Escape(attribute)} is another";
        }

        foreach (var attribute in Libc.ListXattrAt(directory, name))
        {
            if (attribute.StartsWith("system."u8) || XattrNamespaces.IsMeasurement(attribute)) continue;
            if (format.OnArchive(attribute, _archived) is not (XattrRule.Keep or XattrRule.Rename)) continue;
            if (!Has(entry, attribute)) return $"the attribute {PathText.Escape(attribute)} is not of the archive";
        }

        return null;
    }

    private byte[] ShownAs(byte[] attribute, byte[] value)
    {
        try { return ids.ToContainer(attribute, value, default); }
        catch (UnmappedIdException) { return []; } // Which no archive has.
    }

    private static bool Has(ExpectedEntry entry, ReadOnlySpan<byte> attribute)
    {
        foreach (var (name, _) in entry.Attributes)
        {
            if (attribute.SequenceEqual(name)) return true;
        }

        return false;
    }

    private ulong ContentOf(SafeFileHandle directory, ReadOnlySpan<byte> name, TarExtent[]? extents)
    {
        using var file = Libc.OpenAt(directory, name, OpenFlags.NoFollow | OpenFlags.NonBlocking);
        var block = _block ??= GC.AllocateUninitializedArray<byte>(1 << 20);
        ulong crc = 0;
        if (extents is null)
        {
            for (int count; (count = Libc.ReadFully(file, block)) > 0;)
            {
                crc = Crc64.Append(crc, block.AsSpan(0, count));
                stop.ThrowIfCancellationRequested();
            }

            return crc;
        }

        foreach (var (offset, length) in extents)
        {
            for (long done = 0; done < length;)
            {
                stop.ThrowIfCancellationRequested();
                var count = Libc.PRead(file, block.AsSpan(0, (int)Math.Min(block.Length, length - done)), offset + done);
                if (count == 0) return ~crc; // It ends too early.
                crc = Crc64.Append(crc, block.AsSpan(0, count));
                done += count;
            }
        }

        return crc;
    }

    private static string Octal(uint mode) => "0" + Convert.ToString(mode, 8);
}
