namespace StorageActors.Protocol;

/// <summary>Thrown by the typed client when the store refuses; never sent in a message.</summary>
/// <param name="error">The refusal.</param>
/// <param name="inner">What caused it, when it happened in this process.</param>
public sealed class StorageException(StorageError error, Exception? inner = null) : Exception(error.ToString(), inner)
{
    /// <summary>The refusal as the store sent it.</summary>
    public StorageError Error { get; } = error;
}
