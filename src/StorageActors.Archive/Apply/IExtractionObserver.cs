namespace StorageActors.Archive.Apply;

/// <summary>Is told how far an extraction is; called from its threads, often, and must return at once.</summary>
internal interface IExtractionObserver
{
    /// <summary>So many bytes of the blob have been read and so many entries made, in all.</summary>
    void Advanced(long bytesRead, long entries);
}
