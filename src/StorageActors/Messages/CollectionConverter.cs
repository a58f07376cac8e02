using System.Collections;
using Newtonsoft.Json;

namespace StorageActors.Messages;

/// <summary>
/// Lets Akka's JSON serializer carry lists that the compiler made. A collection expression for a read-only list has a type that the compiler
/// invents and that cannot be read back; on the wire it becomes an array. Named in <c>reference.conf</c>.
/// </summary>
internal sealed class CollectionConverter : JsonConverter
{
    private const string InventedPrefix = "<>z__ReadOnly";

    /// <inheritdoc/>
    public override bool CanRead => false;

    /// <inheritdoc/>
    public override bool CanConvert(Type objectType) => objectType.Name.StartsWith(InventedPrefix, StringComparison.Ordinal);

    /// <inheritdoc/>
    public override void WriteJson(JsonWriter writer, object? value, JsonSerializer serializer)
    {
        var list = (ICollection)value!;
        var array = Array.CreateInstance(value!.GetType().GetGenericArguments()[0], list.Count);
        list.CopyTo(array, 0);
        serializer.Serialize(writer, array);
    }

    /// <inheritdoc/>
    public override object? ReadJson(JsonReader reader, Type objectType, object? existingValue, JsonSerializer serializer) =>
        throw new NotSupportedException("it only writes");
}
