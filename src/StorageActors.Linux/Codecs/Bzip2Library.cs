using System.Runtime.InteropServices;

namespace StorageActors.Linux.Codecs;

/// <summary>The part of libbz2 that decodes.</summary>
internal static unsafe partial class Bzip2Library
{
    [LibraryImport(CodecLibrary.Bzip2, EntryPoint = "BZ2_bzDecompressInit")]
    internal static partial Bzip2Result Initialize(Bzip2Stream* stream, int verbosity, int small);

    [LibraryImport(CodecLibrary.Bzip2, EntryPoint = "BZ2_bzDecompress")]
    internal static partial Bzip2Result Decompress(Bzip2Stream* stream);

    [LibraryImport(CodecLibrary.Bzip2, EntryPoint = "BZ2_bzDecompressEnd")]
    internal static partial Bzip2Result End(Bzip2Stream* stream);

    internal static string Explain(Bzip2Result result) => result switch
    {
        Bzip2Result.Memory => "no memory",
        Bzip2Result.Data => "compressed data is corrupt",
        Bzip2Result.Magic => "file format not recognized",
        _ => $"internal error ({(int)result})",
    };
}

/// <summary>BZ_*: what calls return.</summary>
internal enum Bzip2Result
{
    Ok = 0,
    StreamEnd = 4,
    Sequence = -1,
    Parameter = -2,
    Memory = -3,
    Data = -4,
    Magic = -5,
}

/// <summary>bz_stream.</summary>
[StructLayout(LayoutKind.Explicit, Size = 80)]
internal unsafe struct Bzip2Stream
{
    [FieldOffset(0)] internal byte* NextInput;
    [FieldOffset(8)] internal uint AvailableInput;
    [FieldOffset(24)] internal byte* NextOutput;
    [FieldOffset(32)] internal uint AvailableOutput;
}
