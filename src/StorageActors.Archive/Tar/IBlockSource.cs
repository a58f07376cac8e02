namespace StorageActors.Archive.Tar;

/// <summary>An archive as a sequence of blocks of memory, each handed out once.</summary>
/// <remarks>
/// Any block length is correct. When every block but the last is a multiple of 512 bytes, headers are parsed and payloads are
/// handed on in place; otherwise the header that straddles two blocks is copied.
/// </remarks>
internal interface IBlockSource
{
    /// <summary>The next block, valid until the next call; empty at the end of the input, however often it is asked for again.</summary>
    ReadOnlyMemory<byte> NextBlock();
}
