using System.Runtime.InteropServices;

namespace StorageActors.Archive.Tar;

/// <summary>An extended attribute: full name (<c>user.mime</c>) and value, both bytes.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct TarXattr(ReadOnlyMemory<byte> Name, ReadOnlyMemory<byte> Value);
