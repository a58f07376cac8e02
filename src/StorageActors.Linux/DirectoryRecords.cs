using System.Buffers.Binary;

namespace StorageActors.Linux;

/// <summary>One name in a directory; <see cref="Name"/> is valid until the next read.</summary>
internal readonly ref struct DirectoryEntry
{
    internal required ReadOnlySpan<byte> Name { get; init; }

    /// <summary><see cref="FileType.Unknown"/> on file systems that do not say: ask statx then.</summary>
    internal required FileType Type { get; init; }

    internal required ulong Inode { get; init; }
}

/// <summary>Walks what one getdents64 call returned, without "." and "..".</summary>
internal ref struct DirectoryRecords(ReadOnlySpan<byte> records)
{
    // struct linux_dirent64: u64 inode, s64 offset, u16 length of the record, u8 type, the name with its NUL and padding.
    private const int LengthOffset = 16;
    private const int TypeOffset = 18;
    private const int NameOffset = 19;

    private ReadOnlySpan<byte> _rest = records;

    /// <summary>Bytes not walked yet.</summary>
    internal readonly int Remaining => _rest.Length;

    internal bool TryRead(out DirectoryEntry entry)
    {
        while (!_rest.IsEmpty)
        {
            var record = _rest[..BinaryPrimitives.ReadUInt16LittleEndian(_rest[LengthOffset..])];
            _rest = _rest[record.Length..];
            var name = record[NameOffset..];
            name = name[..name.IndexOf((byte)0)];
            if (name.SequenceEqual("."u8) || name.SequenceEqual(".."u8)) continue;
            entry = new DirectoryEntry
            {
                Name = name,
                Type = (FileType)record[TypeOffset],
                Inode = BinaryPrimitives.ReadUInt64LittleEndian(record),
            };
            return true;
        }
        entry = default;
        return false;
    }
}
