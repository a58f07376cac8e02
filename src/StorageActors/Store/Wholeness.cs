using System.Collections;
using System.Collections.Concurrent;
using System.Reflection;
using StorageActors.Protocol;
using StorageActors.Protocol.Identity;

namespace StorageActors.Store;

/// <summary>
/// Whether a command has everything that its type says it has. A program may send what its compiler only warned of: a null, or an id that was never parsed. That is
/// refused at the store's door, where it harms nobody; behind it, nothing of a command is null that may not be.
/// </summary>
internal static class Wholeness
{
    private static readonly ConcurrentDictionary<Type, Part[]> PartsOf = new();
    private static readonly ConcurrentDictionary<Type, bool> Ids = new();

    /// <summary>The place of the first thing that is missing, like <c>Items.Source</c>; null for a command that is whole.</summary>
    internal static string? FindLack(StoreProtocol.ICommand command)
    {
        try
        {
            return FindLack((object)command);
        }
        catch (Exception e) when (e is InvalidOperationException or NotSupportedException or ArgumentException or TargetInvocationException)
        {
            return $"what one of its lists has ({e.Message})"; // The sender changes it meanwhile.
        }
    }

    private static string? FindLack(object record)
    {
        foreach (var part in PartsOf.GetOrAdd(record.GetType(), static type => Analyze(type)))
        {
            if (FindLack(part.Property.GetValue(record), part.MayLack, part.Inner) is { } lack) return part.Property.Name + lack;
        }

        return null;
    }

    /// <summary>What is missing of a value, as the rest of the place: empty for the value itself.</summary>
    private static string? FindLack(object? value, bool mayLack, bool[] inner)
    {
        switch (value)
        {
            case null:
                return mayLack ? null : "";
            case string or byte[]:
                return null;
            case IReadOnlyDictionary<string, string> texts:
                return texts.Values.Contains(null) ? "" : null;
            case IEnumerable items:
                foreach (var item in items)
                {
                    if (FindLack(item, inner is [true, ..], []) is { } lack) return lack;
                }

                return null;
            case var id when IsId(id.GetType()):
                return id.ToString()!.Length == 0 ? "" : null;
            case var record when record.GetType() is { IsClass: true } type && type.Assembly == typeof(StoreProtocol).Assembly:
                return FindLack(record) is { } place ? "." + place : null;
            default:
                return null;
        }
    }

    private static Part[] Analyze(Type type)
    {
        var nullability = new NullabilityInfoContext();
        return
        [
            .. type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
                .Where(static property => property.GetIndexParameters().Length == 0 && Matters(property.PropertyType))
                .Select(property => new Part(property, nullability.Create(property)))
        ];
    }

    /// <summary>Numbers and words of a list are always something.</summary>
    private static bool Matters(Type type) => !type.IsValueType || IsId(Nullable.GetUnderlyingType(type) ?? type);

    private static bool IsId(Type type) => type.IsValueType && Ids.GetOrAdd(type, static type => Array.Exists(
        type.GetInterfaces(), static one => one.IsGenericType && one.GetGenericTypeDefinition() == typeof(IStringValue<>)));

    private sealed record Part(PropertyInfo Property, bool MayLack, bool[] Inner)
    {
        internal Part(PropertyInfo property, NullabilityInfo info)
            : this(property, MayBeNull(info), [.. info.GenericTypeArguments.Select(MayBeNull)])
        {
        }

        private static bool MayBeNull(NullabilityInfo info) => info.ReadState == NullabilityState.Nullable;
    }
}
