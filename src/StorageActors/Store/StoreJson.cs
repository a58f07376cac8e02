using System.Text.Json;
using System.Text.Json.Serialization;
using StorageActors.Protocol;

namespace StorageActors.Store;

/// <summary>The JSON of the store's small files: camelCase, absent values left out, unknown members ignored, missing ones refused.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    WriteIndented = true,
    Converters = [typeof(CamelCaseEnum<LayerKind>), typeof(CamelCaseEnum<LayerCompression>)])]
[JsonSerializable(typeof(StoreOwner))]
[JsonSerializable(typeof(StoreFormat))]
[JsonSerializable(typeof(LayerFile.Content), TypeInfoPropertyName = "LayerFileContent")]
[JsonSerializable(typeof(ImageFile.Content), TypeInfoPropertyName = "ImageFileContent")]
internal sealed partial class StoreJson : JsonSerializerContext;

/// <summary>Writes an enumeration's names in camelCase, as the rest of the JSON.</summary>
/// <typeparam name="T">The enumeration.</typeparam>
internal sealed class CamelCaseEnum<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.CamelCase, allowIntegerValues: false)
    where T : struct, Enum;
