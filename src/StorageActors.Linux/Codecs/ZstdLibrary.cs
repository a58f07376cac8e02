using System.Runtime.InteropServices;

namespace StorageActors.Linux.Codecs;

/// <summary>The part of libzstd that streams use.</summary>
internal static unsafe partial class ZstdLibrary
{
    internal const int WindowLogMax = 100;        // ZSTD_d_windowLogMax
    internal const int CompressionLevel = 100;    // ZSTD_c_compressionLevel
    internal const int ChecksumFlag = 201;        // ZSTD_c_checksumFlag
    internal const int Workers = 400;             // ZSTD_c_nbWorkers

    [LibraryImport(CodecLibrary.Zstd, EntryPoint = "ZSTD_createDCtx")]
    internal static partial nint CreateDecoder();

    [LibraryImport(CodecLibrary.Zstd, EntryPoint = "ZSTD_freeDCtx")]
    internal static partial nuint FreeDecoder(nint context);

    [LibraryImport(CodecLibrary.Zstd, EntryPoint = "ZSTD_DCtx_setParameter")]
    internal static partial nuint SetDecoderParameter(nint context, int parameter, int value);

    [LibraryImport(CodecLibrary.Zstd, EntryPoint = "ZSTD_decompressStream")]
    internal static partial nuint Decompress(nint context, ZstdBuffer* output, ZstdBuffer* input);

    [LibraryImport(CodecLibrary.Zstd, EntryPoint = "ZSTD_createCCtx")]
    internal static partial nint CreateEncoder();

    [LibraryImport(CodecLibrary.Zstd, EntryPoint = "ZSTD_freeCCtx")]
    internal static partial nuint FreeEncoder(nint context);

    [LibraryImport(CodecLibrary.Zstd, EntryPoint = "ZSTD_CCtx_setParameter")]
    internal static partial nuint SetEncoderParameter(nint context, int parameter, int value);

    [LibraryImport(CodecLibrary.Zstd, EntryPoint = "ZSTD_compressStream2")]
    internal static partial nuint Compress(nint context, ZstdBuffer* output, ZstdBuffer* input, EncodeOperation operation);

    [LibraryImport(CodecLibrary.Zstd, EntryPoint = "ZSTD_isError")]
    internal static partial uint IsError(nuint code);

    [LibraryImport(CodecLibrary.Zstd, EntryPoint = "ZSTD_getErrorName")]
    internal static partial nint ErrorName(nuint code);

    internal static nuint Check(nuint code) =>
        IsError(code) == 0 ? code
        : throw new CodecException("zstd", Marshal.PtrToStringUTF8(ErrorName(code)) ?? "unknown error");
}

/// <summary>ZSTD_inBuffer and ZSTD_outBuffer, which have one layout.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct ZstdBuffer
{
    internal byte* Start;
    internal nuint Size;
    internal nuint Position;
}

/// <summary>ZSTD_EndDirective: what an encoder is to do with the input it was given.</summary>
internal enum EncodeOperation
{
    /// <summary>Take it; output may come later.</summary>
    Continue = 0,

    /// <summary>Write out all that was taken, so that a reader can have it.</summary>
    Flush = 1,

    /// <summary>Finish the frame.</summary>
    End = 2,
}
