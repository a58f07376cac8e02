namespace StorageActors.Archive.Compression;

/// <summary>Input goes on beyond the size that was announced for it or that the store accepts.</summary>
public sealed class InputTooLargeException : IOException
{
    /// <summary>Describes the limit.</summary>
    /// <param name="limit">Bytes that were acceptable.</param>
    public InputTooLargeException(long limit)
        : base($"the input is longer than the {limit} bytes that were announced or allowed") => Limit = limit;

    /// <summary>Bytes that were acceptable.</summary>
    public long Limit { get; }
}
