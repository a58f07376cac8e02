using System.ComponentModel;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace StorageActors.Protocol.Identity;

/// <summary>Lets serializers that know type converters (Newtonsoft.Json in Akka.NET's default serializer) write a value as its text.</summary>
/// <typeparam name="T">The value's type.</typeparam>
public sealed class StringValueTypeConverter<T> : TypeConverter where T : struct, IStringValue<T>
{
    /// <inheritdoc/>
    public override bool CanConvertFrom(ITypeDescriptorContext? context, Type sourceType) => sourceType == typeof(string);

    /// <inheritdoc/>
    public override bool CanConvertTo(ITypeDescriptorContext? context, Type? destinationType) => destinationType == typeof(string);

    /// <inheritdoc/>
    public override object? ConvertFrom(ITypeDescriptorContext? context, CultureInfo? culture, object value) => T.Parse((string)value);

    /// <inheritdoc/>
    public override object? ConvertTo(ITypeDescriptorContext? context, CultureInfo? culture, object? value, Type destinationType) =>
        ((T)value!).Value;
}

/// <summary>Writes a value as its text with System.Text.Json, also as the key of a dictionary.</summary>
/// <typeparam name="T">The value's type.</typeparam>
public sealed class StringValueJsonConverter<T> : JsonConverter<T> where T : struct, IStringValue<T>
{
    /// <inheritdoc/>
    public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => Parse(reader.GetString());

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => writer.WriteStringValue(value.Value);

    /// <inheritdoc/>
    public override T ReadAsPropertyName(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => Parse(reader.GetString());

    /// <inheritdoc/>
    public override void WriteAsPropertyName(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => writer.WritePropertyName(value.Value);

    private static T Parse(string? text)
    {
        try { return T.Parse(text ?? throw new JsonException($"null is no {typeof(T).Name}")); }
        catch (FormatException e) { throw new JsonException(e.Message, e); }
    }
}
