using System.Buffers.Binary;

namespace StorageActors.Archive.Diff;

/// <summary>The value of <c>security.capability</c> (linux/capability.h: <c>struct vfs_ns_cap_data</c>).</summary>
internal static class FileCapability
{
    private const int Version2Length = 20;
    private const int Version3Length = 24;
    private const uint RevisionMask = 0xFF000000;
    private const uint Revision2 = 0x02000000;
    private const uint Revision3 = 0x03000000;

    /// <summary>
    /// The same capabilities without the id of a user namespace's root, as images have them: version 3, which the kernel writes inside a namespace, becomes
    /// version 2. Anything else stays.
    /// </summary>
    internal static byte[] ToVersion2(byte[] value)
    {
        if (value.Length != Version3Length) return value;
        var magic = BinaryPrimitives.ReadUInt32LittleEndian(value);
        if ((magic & RevisionMask) != Revision3) return value;
        var converted = value.AsSpan(0, Version2Length).ToArray();
        BinaryPrimitives.WriteUInt32LittleEndian(converted, (magic & ~RevisionMask) | Revision2);
        return converted;
    }
}
