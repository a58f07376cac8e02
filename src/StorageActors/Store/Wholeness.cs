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
    private static readonly ConcurrentDictionary<Type, Kind> Kinds = new();

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
            if (part.FindLack(record) is { } lack) return part.Name + lack;
        }

        return null;
    }

    /// <summary>What is missing of a value, as the rest of the place: empty for the value itself.</summary>
    private static string? FindLack(object? value, bool mayLack, bool[] inner) =>
        value is null ? mayLack ? null : "" : FindLack(value, Kinds.GetOrAdd(value.GetType(), static type => KindOf(type)), inner);

    private static string? FindLack(object value, Kind kind, bool[] inner)
    {
        switch (kind)
        {
            case Kind.Texts:
                return ((IReadOnlyDictionary<string, string>)value).Values.Contains(null) ? "" : null;
            case Kind.List:
                foreach (var item in (IEnumerable)value)
                {
                    if (FindLack(item, inner is [true, ..], []) is { } lack) return lack;
                }

                return null;
            case Kind.Id:
                return value.ToString()!.Length == 0 ? "" : null;
            case Kind.Record:
                return FindLack(value) is { } place ? "." + place : null;
            default:
                return null;
        }
    }

    private static Kind KindOf(Type type) => type switch
    {
        _ when type == typeof(string) || type == typeof(byte[]) => Kind.Whole,
        _ when type.IsAssignableTo(typeof(IReadOnlyDictionary<string, string>)) => Kind.Texts,
        _ when type.IsAssignableTo(typeof(IEnumerable)) => Kind.List,
        _ when IsId(type) => Kind.Id,
        _ when type.IsClass && type.Assembly == typeof(StoreProtocol).Assembly => Kind.Record,
        _ => Kind.Whole,
    };

    private static Part[] Analyze(Type type)
    {
        var nullability = new NullabilityInfoContext();
        return
        [
            .. type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
                .Where(static property => property.GetIndexParameters().Length == 0 && Matters(property.PropertyType))
                .Select(property => (property.Name, Read: IsId(property.PropertyType) ? ReadId(property) : Read(property, nullability.Create(property))))
                .Where(static part => part.Read is not null).Select(static part => new Part(part.Name, part.Read!))
        ];
    }

    /// <summary>Numbers and words of a list are always something.</summary>
    private static bool Matters(Type type) => !type.IsValueType || IsId(Nullable.GetUnderlyingType(type) ?? type);

    private static bool IsId(Type type) => type.IsValueType && Array.Exists(
        type.GetInterfaces(), static one => one.IsGenericType && one.GetGenericTypeDefinition() == typeof(IStringValue<>));

    /// <summary>Null: whatever it is, nothing is missing.</summary>
    private static Func<object, string?>? Read(PropertyInfo property, NullabilityInfo info)
    {
        var (read, mayLack, inner) = (Reader<object?>(nameof(ReadAs), property), MayBeNull(info), info.GenericTypeArguments.Select(MayBeNull).ToArray());
        if (!property.PropertyType.IsSealed) return record => FindLack(read(record), mayLack, inner);
        var kind = KindOf(Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType); // As of all values that it can have.
        if (kind == Kind.Whole && mayLack) return null;
        return record => read(record) is { } value ? FindLack(value, kind, inner) : mayLack ? null : "";
    }

    private static Func<object, string?> ReadId(PropertyInfo property) => Reader<string?>(nameof(ReadIdAs), property);

    private static bool MayBeNull(NullabilityInfo info) => info.ReadState == NullabilityState.Nullable;

    /// <summary>Reads a property without reflection: each message comes through here.</summary>
    private static Func<object, TResult> Reader<TResult>(string method, PropertyInfo property) =>
        (Func<object, TResult>)typeof(Wholeness).GetMethod(method, BindingFlags.NonPublic | BindingFlags.Static)!
            .MakeGenericMethod(property.DeclaringType!, property.PropertyType).Invoke(null, [property.GetMethod])!;

    private static Func<object, object?> ReadAs<TRecord, TValue>(MethodInfo get)
    {
        var read = get.CreateDelegate<Func<TRecord, TValue>>();
        return record => read((TRecord)record);
    }

    private static Func<object, string?> ReadIdAs<TRecord, TId>(MethodInfo get)
        where TId : struct
    {
        var read = get.CreateDelegate<Func<TRecord, TId>>();
        return record => read((TRecord)record).ToString()!.Length == 0 ? "" : null;
    }

    /// <param name="Name">The property's name.</param>
    /// <param name="FindLack">What is missing of it in a record, as the rest of the place.</param>
    private sealed record Part(string Name, Func<object, string?> FindLack);

    /// <summary>What is to be looked at in a value.</summary>
    private enum Kind
    {
        /// <summary>Nothing.</summary>
        Whole,
        Texts,
        List,
        Id,
        Record,
    }
}
