using System.Diagnostics.CodeAnalysis;
using StorageActors.Protocol;

namespace StorageActors.Catalog;

/// <summary>What a rule decided: a value, or why not. Rules are pure functions of the catalog's state.</summary>
/// <typeparam name="T">What it decides.</typeparam>
internal readonly struct Decision<T>
    where T : class
{
    private Decision(T? value, StorageError? refusal) => (Value, Refusal) = (value, refusal);

    internal T? Value { get; }

    internal StorageError? Refusal { get; }

    public static implicit operator Decision<T>(T value) => new(value, null);

    public static implicit operator Decision<T>(StorageError refusal) => new(null, refusal);

    internal bool IsRefused([NotNullWhen(true)] out StorageError? refusal, [NotNullWhen(false)] out T? value)
    {
        (refusal, value) = (Refusal, Value);
        return refusal is not null;
    }
}
