using System.Text.Json;
using System.Text.Json.Serialization;

namespace StorageActors.Store;

/// <summary>Writes an enumeration's names in camelCase, as the rest of the JSON.</summary>
/// <typeparam name="T">The enumeration.</typeparam>
internal sealed class CamelCaseEnum<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.CamelCase, allowIntegerValues: false)
    where T : struct, Enum;
