using System.Runtime.InteropServices;

namespace StorageActors.Archive.Tar;

/// <summary>A run of data in a sparse file; between runs there are holes.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct TarExtent(long Offset, long Length);
