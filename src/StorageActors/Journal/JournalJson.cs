using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using StorageActors.Protocol;
using StorageActors.Records;
using StorageActors.Store;

namespace StorageActors.Journal;

/// <summary>The JSON of journal rows: one line, camelCase, absent values left out; members that this version does not know are ignored.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    Converters = [typeof(LayerRecordJson), typeof(ImageRecordJson), typeof(CamelCaseEnum<MountMode>)])]
[JsonSerializable(typeof(CatalogEvent.LayerCommitted))]
[JsonSerializable(typeof(CatalogEvent.LayerSealed))]
[JsonSerializable(typeof(CatalogEvent.LayerRemoved))]
[JsonSerializable(typeof(CatalogEvent.LayerNamed))]
[JsonSerializable(typeof(CatalogEvent.LayerLabelled))]
[JsonSerializable(typeof(CatalogEvent.LayerDocumented))]
[JsonSerializable(typeof(CatalogEvent.LayerDamaged))]
[JsonSerializable(typeof(CatalogEvent.LayerHealed))]
[JsonSerializable(typeof(CatalogEvent.ImagePut))]
[JsonSerializable(typeof(CatalogEvent.ImageNamed))]
[JsonSerializable(typeof(CatalogEvent.ImageLabelled))]
[JsonSerializable(typeof(CatalogEvent.ImageRemoved))]
[JsonSerializable(typeof(CatalogEvent.Snapshot), TypeInfoPropertyName = "CatalogSnapshot")]
[JsonSerializable(typeof(LeaseEvent.Granted))]
[JsonSerializable(typeof(LeaseEvent.Released))]
[JsonSerializable(typeof(LeaseEvent.Cleared))]
[JsonSerializable(typeof(LeaseEvent.Snapshot), TypeInfoPropertyName = "LeaseSnapshot")]
internal sealed partial class JournalJson : JsonSerializerContext
{
    internal static JsonTypeInfo TypeOf(Type type) => Rules.Options.GetTypeInfo(type);

    /// <summary>Apart from the generated half of this class, whose initialization must come first.</summary>
    private static class Rules
    {
        internal static readonly JsonSerializerOptions Options = OptionalMembers.Of(Default);
    }
}
