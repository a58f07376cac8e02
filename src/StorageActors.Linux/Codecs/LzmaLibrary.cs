using System.Runtime.InteropServices;

namespace StorageActors.Linux.Codecs;

/// <summary>The part of liblzma that decodes .xz.</summary>
internal static unsafe partial class LzmaLibrary
{
    [LibraryImport(CodecLibrary.Lzma, EntryPoint = "lzma_stream_decoder")]
    internal static partial LzmaResult StreamDecoder(LzmaStream* stream, ulong memoryLimit, uint flags);

    [LibraryImport(CodecLibrary.Lzma, EntryPoint = "lzma_code")]
    internal static partial LzmaResult Code(LzmaStream* stream, int action);

    [LibraryImport(CodecLibrary.Lzma, EntryPoint = "lzma_end")]
    internal static partial void End(LzmaStream* stream);

    internal static string Explain(LzmaResult result) => result switch
    {
        LzmaResult.Memory => "no memory",
        LzmaResult.MemoryLimit => "the data needs more memory to decode than is allowed",
        LzmaResult.Format => "file format not recognized",
        LzmaResult.Options => "unsupported compression options",
        LzmaResult.Data => "compressed data is corrupt",
        LzmaResult.Buffer => "unexpected end of input",
        _ => $"internal error ({(int)result})",
    };
}

/// <summary>lzma_ret.</summary>
internal enum LzmaResult
{
    Ok = 0,
    StreamEnd = 1,
    NoCheck = 2,
    UnsupportedCheck = 3,
    GetCheck = 4,
    Memory = 5,
    MemoryLimit = 6,
    Format = 7,
    Options = 8,
    Data = 9,
    Buffer = 10,
    Program = 11,
}

/// <summary>lzma_stream.</summary>
[StructLayout(LayoutKind.Explicit, Size = 136)]
internal unsafe struct LzmaStream
{
    [FieldOffset(0)] internal byte* NextInput;
    [FieldOffset(8)] internal nuint AvailableInput;
    [FieldOffset(24)] internal byte* NextOutput;
    [FieldOffset(32)] internal nuint AvailableOutput;
}
