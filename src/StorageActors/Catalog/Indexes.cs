using System.Collections.Immutable;

namespace StorageActors.Catalog;

/// <summary>
/// Indexes from one key to many values, without keys that have none. Keys and values are texts: a collection of a type of ours is generic code that is compiled when a
/// process first uses it, and a command that lists a store would take longer for that than for anything else.
/// </summary>
internal static class Indexes
{
    internal static ImmutableDictionary<TKey, ImmutableHashSet<string>> Join<TKey>(this ImmutableDictionary<TKey, ImmutableHashSet<string>> index, TKey key, string value)
        where TKey : notnull => index.SetItem(key, index.GetValueOrDefault(key, ImmutableHashSet<string>.Empty).Add(value));

    internal static ImmutableDictionary<TKey, ImmutableHashSet<string>> Leave<TKey>(this ImmutableDictionary<TKey, ImmutableHashSet<string>> index, TKey key, string value)
        where TKey : notnull
    {
        if (!index.TryGetValue(key, out var values)) return index;
        var left = values.Remove(value);
        return left.IsEmpty ? index.Remove(key) : index.SetItem(key, left);
    }

    internal static ImmutableDictionary<string, ImmutableList<string>> Leave(this ImmutableDictionary<string, ImmutableList<string>> index, string key, string value)
    {
        if (!index.TryGetValue(key, out var values)) return index;
        var left = values.Remove(value);
        return left.IsEmpty ? index.Remove(key) : index.SetItem(key, left);
    }

    /// <summary>The only member that starts with a prefix, and whether there are more; null when there is none.</summary>
    internal static (string? First, bool More) FindPrefix(this ImmutableSortedSet<string> sorted, string prefix)
    {
        var found = sorted.IndexOf(prefix);
        var index = found < 0 ? ~found : found;
        if (!Matches(index)) return (null, false);
        return (sorted[index], Matches(index + 1));

        bool Matches(int at) => at < sorted.Count && sorted[at].StartsWith(prefix, StringComparison.Ordinal);
    }
}
