namespace StorageActors.Archive.Tar;

/// <summary>Takes an entry's fields out of its header block.</summary>
internal sealed class HeaderFields(TarEntry entry, TarFaults faults)
{
    /// <summary>Fills the entry with the header's own fields; extended headers are applied over them.</summary>
    internal void Read(HeaderBlock header, HeaderDialect dialect)
    {
        entry.TypeFlag = header.TypeFlag;
        entry.Mode = (int)(Number(header.Mode, "mode") & 0xfff);
        entry.Uid = Number(header.Uid, "uid");
        entry.Gid = Number(header.Gid, "gid");
        entry.PackedSize = Number(header.Size, "size");
        if (entry.PackedSize < 0) throw faults.Malformed("negative size");
        entry.Mtime = new TarTime(Number(header.Mtime, "mtime"));
        if (dialect != HeaderDialect.V7)
        {
            entry.UserNameBuffer.Set(HeaderBlock.Text(header.UserName));
            entry.GroupNameBuffer.Set(HeaderBlock.Text(header.GroupName));
            if (header.TypeFlag is (byte)'3' or (byte)'4')
            {
                entry.DeviceMajor = Number(header.DeviceMajor, "device major");
                entry.DeviceMinor = Number(header.DeviceMinor, "device minor");
            }
        }

        var prefix = dialect switch
        {
            HeaderDialect.Ustar => HeaderBlock.Text(header.UstarPrefix),
            HeaderDialect.Star => HeaderBlock.Text(header.StarPrefix),
            HeaderDialect.Gnu => ReadGnuTimes(header),
            _ => default,
        };
        if (dialect == HeaderDialect.Star) (entry.Atime, entry.Ctime) = (TimeField(header.StarAtime), TimeField(header.StarCtime));
        if (!prefix.IsEmpty)
        {
            entry.NameBuffer.Append(prefix);
            entry.NameBuffer.Append((byte)'/');
        }

        entry.NameBuffer.Append(HeaderBlock.Text(header.Name));
        entry.LinkNameBuffer.Set(HeaderBlock.Text(header.LinkName));
    }

    /// <summary>GNU headers have times where POSIX has the prefix. Go before 1.8, which built the early Docker layers, wrote a prefix
    /// all the same: what is no number is that prefix.</summary>
    private ReadOnlySpan<byte> ReadGnuTimes(HeaderBlock header)
    {
        if (header.GnuAtime[0] == 0 && header.GnuCtime[0] == 0) return default;
        if (TarNumber.TryParseField(header.GnuAtime, out var atime) && TarNumber.TryParseField(header.GnuCtime, out var ctime))
        {
            if (header.GnuAtime[0] != 0) entry.Atime = new TarTime(atime);
            if (header.GnuCtime[0] != 0) entry.Ctime = new TarTime(ctime);
            return default;
        }

        var prefix = HeaderBlock.Text(header.UstarPrefix);
        return System.Text.Ascii.IsValid(prefix) ? prefix : default;
    }

    private static TarTime? TimeField(ReadOnlySpan<byte> field) =>
        field[0] != 0 && TarNumber.TryParseField(field, out var seconds) ? new TarTime(seconds) : null;

    /// <summary>The number in a field, or an error that names it.</summary>
    internal long Number(ReadOnlySpan<byte> field, string name) =>
        TarNumber.TryParseField(field, out var value) ? value : throw faults.Malformed($"the header's {name} is not a number");

    /// <summary>What a type flag means in a dialect.</summary>
    internal static TarEntryType TypeOf(byte flag, HeaderDialect dialect, ReadOnlySpan<byte> name) => flag switch
    {
        0 => name.EndsWith("/"u8) ? TarEntryType.Directory : TarEntryType.RegularFile,
        (byte)'0' or (byte)'7' => TarEntryType.RegularFile,
        (byte)'S' when dialect == HeaderDialect.Gnu => TarEntryType.RegularFile,
        (byte)'1' => TarEntryType.HardLink,
        (byte)'2' => TarEntryType.SymbolicLink,
        (byte)'3' => TarEntryType.CharacterDevice,
        (byte)'4' => TarEntryType.BlockDevice,
        (byte)'5' => TarEntryType.Directory,
        (byte)'6' => TarEntryType.Fifo,
        _ => TarEntryType.Unknown,
    };
}
