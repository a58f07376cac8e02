namespace StorageActors.Archive.Apply;

/// <summary>What follows on disk from a decision of <see cref="LayerChanges"/>.</summary>
internal interface ITreeEffects
{
    /// <summary>A directory without an entry (yet) is needed here; its parent is there.</summary>
    void MakeImplied(int node);

    /// <summary>What the layer itself put here, with all below it, is about to be replaced.</summary>
    void Remove(int node);

    /// <summary>In place: what the layers below have here goes, if they have anything.</summary>
    void RemoveLower(int node);

    /// <summary>In place: all in the directory that is not the layer's own goes.</summary>
    void Prune(int node);
}

/// <summary>For going over a layer's entries without touching a disk.</summary>
internal sealed class NoTreeEffects : ITreeEffects
{
    internal static readonly NoTreeEffects Instance = new();

    private NoTreeEffects()
    {
    }

    /// <inheritdoc/>
    public void MakeImplied(int node)
    {
    }

    /// <inheritdoc/>
    public void Remove(int node)
    {
    }

    /// <inheritdoc/>
    public void RemoveLower(int node)
    {
    }

    /// <inheritdoc/>
    public void Prune(int node)
    {
    }
}
