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

    /// <summary>With one more value, behind those that are there.</summary>
    internal static Overlaid<IReadOnlyCollection<string>> Append(this Overlaid<IReadOnlyCollection<string>> index, string key, string value)
    {
        var values = index.Find(key) ?? [];
        return index.With(key, (values as ImmutableList<string> ?? [.. values]).Add(value));
    }

    /// <summary>With one more value, in no order: there may be very many.</summary>
    internal static Overlaid<IReadOnlyCollection<string>> Join(this Overlaid<IReadOnlyCollection<string>> index, string key, string value)
    {
        var values = index.Find(key) ?? [];
        return index.With(key, (values as ImmutableHashSet<string> ?? [.. values]).Add(value));
    }

    /// <summary>Without one of values that <see cref="Append"/> keeps.</summary>
    internal static Overlaid<IReadOnlyCollection<string>> Remove(this Overlaid<IReadOnlyCollection<string>> index, string key, string value)
    {
        if (index.Find(key) is not { } values) return index;
        var left = (values as ImmutableList<string> ?? [.. values]).Remove(value);
        return index.With(key, left.IsEmpty ? null : left);
    }

    /// <summary>Without one of values that <see cref="Join(Overlaid{IReadOnlyCollection{string}}, string, string)"/> keeps.</summary>
    internal static Overlaid<IReadOnlyCollection<string>> Leave(this Overlaid<IReadOnlyCollection<string>> index, string key, string value)
    {
        if (index.Find(key) is not { } values) return index;
        var left = (values as ImmutableHashSet<string> ?? [.. values]).Remove(value);
        return index.With(key, left.IsEmpty ? null : left);
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
