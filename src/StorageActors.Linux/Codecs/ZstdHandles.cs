using System.Runtime.InteropServices;

namespace StorageActors.Linux.Codecs;

/// <summary>A ZSTD_DCtx.</summary>
internal sealed class ZstdDecoderHandle : SafeHandle
{
    internal ZstdDecoderHandle()
        : base(0, ownsHandle: true)
    {
        SetHandle(ZstdLibrary.CreateDecoder());
        if (IsInvalid) throw new CodecException("zstd", "no memory for a decoder");
    }

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        ZstdLibrary.FreeDecoder(handle);
        return true;
    }
}

/// <summary>A ZSTD_CCtx.</summary>
internal sealed class ZstdEncoderHandle : SafeHandle
{
    internal ZstdEncoderHandle()
        : base(0, ownsHandle: true)
    {
        SetHandle(ZstdLibrary.CreateEncoder());
        if (IsInvalid) throw new CodecException("zstd", "no memory for an encoder");
    }

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        ZstdLibrary.FreeEncoder(handle);
        return true;
    }
}
