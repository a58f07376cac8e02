using System.Buffers.Binary;

namespace StorageActors.Archive.Apply;

/// <summary>The value of <c>system.posix_acl_…</c> (linux/posix_acl_xattr.h): a version, then entries of a tag, permissions and an id.</summary>
internal static class PosixAcl
{
    private const int HeaderLength = 4;
    private const int EntryLength = 8;
    private const uint Version = 2;
    private const ushort NamedUser = 0x02;
    private const ushort NamedGroup = 0x08;

    internal static bool IsAcl(ReadOnlySpan<byte> attribute) =>
        attribute.SequenceEqual(XattrNamespaces.AccessAcl) || attribute.SequenceEqual(XattrNamespaces.DefaultAcl);

    /// <summary>The same list with other ids; what is no such list stays as it is.</summary>
    internal static byte[] Translate(byte[] value, Func<uint, uint> user, Func<uint, uint> group)
    {
        if (value.Length < HeaderLength || (value.Length - HeaderLength) % EntryLength != 0 || BinaryPrimitives.ReadUInt32LittleEndian(value) != Version) return value;
        var translated = value.AsSpan().ToArray();
        for (var entry = translated.AsSpan(HeaderLength); !entry.IsEmpty; entry = entry[EntryLength..])
        {
            var tag = BinaryPrimitives.ReadUInt16LittleEndian(entry);
            var id = entry.Slice(4, 4);
            if (tag == NamedUser) BinaryPrimitives.WriteUInt32LittleEndian(id, user(BinaryPrimitives.ReadUInt32LittleEndian(id)));
            else if (tag == NamedGroup) BinaryPrimitives.WriteUInt32LittleEndian(id, group(BinaryPrimitives.ReadUInt32LittleEndian(id)));
        }

        return translated;
    }
}
