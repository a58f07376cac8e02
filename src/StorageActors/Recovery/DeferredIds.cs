using System.Collections;
using StorageActors.Protocol;

namespace StorageActors.Recovery;

/// <summary>Ids of layers that are made when somebody looks at one: the usual start needs to know how many there are, and no more.</summary>
internal sealed class DeferredIds : IReadOnlyList<LayerId>
{
    private readonly Lazy<LayerId[]> _ids;

    /// <param name="ids">What came as a message.</param>
    public DeferredIds(IEnumerable<LayerId> ids)
    {
        LayerId[] made = [.. ids];
        (Count, _ids) = (made.Length, new Lazy<LayerId[]>(made));
    }

    /// <param name="count">How many.</param>
    /// <param name="texts">Says them.</param>
    internal DeferredIds(int count, Func<IEnumerable<string>> texts) => (Count, _ids) = (count, new Lazy<LayerId[]>(() => [.. texts().Select(LayerId.Parse)]));

    /// <inheritdoc/>
    public int Count { get; }

    /// <inheritdoc/>
    public LayerId this[int index] => _ids.Value[index];

    /// <inheritdoc/>
    public IEnumerator<LayerId> GetEnumerator() => ((IEnumerable<LayerId>)_ids.Value).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
