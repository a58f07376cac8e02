using System.Text.Json;
using StorageActors.Protocol;
using StorageActors.Records;

namespace StorageActors.Node.Wire;

/// <summary>Where a driver keeps a layer, read by hand; see <see cref="ReplyJson"/>.</summary>
internal static class MetadataJson
{
    internal static StoreProtocol.Metadata Read(ref Utf8JsonReader reader)
    {
        LayerId? layer = null;
        LayerMetadata? item = null;
        while (JsonRead.NextMember(ref reader, out var name))
        {
            if (name == "layer") layer = JsonRead.LayerId(ref reader);
            else if (name == "item") item = Places(ref reader);
            else JsonRead.Pass(ref reader);
        }

        return new StoreProtocol.Metadata(layer ?? throw JsonRead.Missing("layer"), item ?? throw JsonRead.Missing("item"));
    }

    private static LayerMetadata Places(ref Utf8JsonReader reader)
    {
        JsonRead.Begin(ref reader, JsonTokenType.StartObject);
        string? driver = null, directory = null, upper = null, work = null, merged = null, fileSystem = null, device = null;
        string[]? lowers = null;
        while (JsonRead.NextMember(ref reader, out var name))
        {
            switch (name)
            {
                case "driver": driver = JsonRead.Text(ref reader); break;
                case "directory": directory = JsonRead.Text(ref reader); break;
                case "upperDir": upper = JsonRead.Text(ref reader); break;
                case "workDir": work = JsonRead.TextOrNull(ref reader); break;
                case "mergedDir": merged = JsonRead.TextOrNull(ref reader); break;
                case "lowerDirs": lowers = JsonRead.Texts(ref reader); break;
                case "fileSystem": fileSystem = JsonRead.Text(ref reader); break;
                case "device": device = JsonRead.Text(ref reader); break;
                default: JsonRead.Pass(ref reader); break;
            }
        }

        return new LayerMetadata(
            driver ?? throw JsonRead.Missing("driver"), directory ?? throw JsonRead.Missing("directory"), upper ?? throw JsonRead.Missing("upperDir"), work, merged,
            lowers ?? throw JsonRead.Missing("lowerDirs"), fileSystem ?? throw JsonRead.Missing("fileSystem"), device ?? throw JsonRead.Missing("device"));
    }
}
