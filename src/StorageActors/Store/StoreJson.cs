using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using StorageActors.Drivers;
using StorageActors.Protocol;
using StorageActors.Records;

namespace StorageActors.Store;

/// <summary>The JSON of the store's small files: camelCase, absent values left out, unknown members ignored, missing ones refused.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    WriteIndented = true,
    Converters = [typeof(LayerRecordJson), typeof(ImageRecordJson)])]
[JsonSerializable(typeof(StoreOwner))]
[JsonSerializable(typeof(StoreFormat))]
[JsonSerializable(typeof(LayerFile.Content), TypeInfoPropertyName = "LayerFileContent")]
[JsonSerializable(typeof(ImageFile.Content), TypeInfoPropertyName = "ImageFileContent")]
[JsonSerializable(typeof(ContentUsage))]
internal sealed partial class StoreJson : JsonSerializerContext
{
    internal static byte[] Write<T>(T value) => JsonSerializer.SerializeToUtf8Bytes(value, (JsonTypeInfo<T>)Rules.Options.GetTypeInfo(typeof(T)));

    /// <summary>Null for the JSON null alone.</summary>
    /// <exception cref="JsonException">It is not what <see cref="Write"/> writes.</exception>
    internal static T? Read<T>(ReadOnlySpan<byte> json) => JsonSerializer.Deserialize(json, (JsonTypeInfo<T>)Rules.Options.GetTypeInfo(typeof(T)));

    /// <summary>Apart from the generated half of this class, whose initialization must come first.</summary>
    private static class Rules
    {
        internal static readonly JsonSerializerOptions Options = OptionalMembers.Of(Default);
    }
}
