namespace StorageActors.Archive.Diff;

/// <summary>
/// A layer's directory alone does not say what the layer is: the kernel keeps an inode's name or data elsewhere (<c>redirect</c>, <c>metacopy</c>). The
/// merged trees have to be compared.
/// </summary>
internal sealed class ComparisonNeededException(string path) : Exception($"{path}: its content lies in another layer")
{
    internal string Path { get; } = path;
}
