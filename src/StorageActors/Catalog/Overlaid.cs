using System.Collections.Immutable;

namespace StorageActors.Catalog;

/// <summary>
/// An immutable index that begins as one of a table that never changes: nothing of it is copied, and what became otherwise since lies over it. So it costs nothing to begin with, and later
/// what is looked up most was changed lately.
/// </summary>
/// <typeparam name="T">What a text leads to.</typeparam>
internal sealed class Overlaid<T>
    where T : class
{
    internal static readonly Overlaid<T> Empty = new(static _ => null);

    private readonly Func<string, T?> _below;
    private readonly ImmutableDictionary<string, T?> _changed;

    /// <param name="below">Finds what it begins with.</param>
    internal Overlaid(Func<string, T?> below)
        : this(below, ImmutableDictionary<string, T?>.Empty)
    {
    }

    private Overlaid(Func<string, T?> below, ImmutableDictionary<string, T?> changed) => (_below, _changed) = (below, changed);

    /// <summary>Whether all is as it began.</summary>
    internal bool IsUnchanged => _changed.IsEmpty;

    /// <summary>What was changed since it began; null for what is gone.</summary>
    internal IEnumerable<KeyValuePair<string, T?>> Changes => _changed;

    /// <summary>What was changed since it began, and is there.</summary>
    internal IEnumerable<T> Changed => _changed.Values.OfType<T>();

    internal T? Find(string key) => _changed.TryGetValue(key, out var value) ? value : _below(key);

    /// <summary>Whether it is other than at the beginning, and what it is then; null when it is gone.</summary>
    internal bool IsChanged(string key, out T? value) => _changed.TryGetValue(key, out value);

    /// <summary>The same with another value; null for none.</summary>
    internal Overlaid<T> With(string key, T? value) =>
        new(_below, value is null && _below(key) is null ? _changed.Remove(key) : _changed.SetItem(key, value));
}
