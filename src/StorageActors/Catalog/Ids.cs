using System.Collections;
using StorageActors.Protocol.Identity;

namespace StorageActors.Catalog;

/// <summary>Texts of an index as the ids that they are.</summary>
/// <typeparam name="T">The kind of id.</typeparam>
internal sealed class Ids<T>(IReadOnlyCollection<string> texts) : IReadOnlyCollection<T>
    where T : struct, IStringValue<T>
{
    internal static readonly Ids<T> None = new([]);

    /// <inheritdoc/>
    public int Count => texts.Count;

    /// <inheritdoc/>
    public IEnumerator<T> GetEnumerator() => texts.Select(T.Parse).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
