using System.Text.Json;
using StorageActors.Protocol;
using StorageActors.Records;

namespace StorageActors.Journal;

/// <summary>
/// Reads the events of the catalog by hand, as <see cref="JournalJson"/> has them: a store of ten thousand layers has as many, and a command that only asks reads
/// them all, too; see <see cref="JsonRead"/>.
/// </summary>
internal static class CatalogEventJson
{
    /// <summary>The event of a row; null when it is none of the catalog's.</summary>
    /// <exception cref="JsonException">The bytes are not what is written for such an event.</exception>
    internal static IJournalEvent? TryRead(ReadOnlySpan<byte> bytes, string manifest)
    {
        var reader = new Utf8JsonReader(bytes);
        try
        {
            var happened = TryRead(ref reader, manifest);
            // Nothing may follow; the reader itself refuses what does.
            if (happened is not null) reader.Read();
            return happened;
        }
        catch (Exception e) when (e is InvalidOperationException or FormatException)
        {
            // A text that is no valid UTF-8, or no id.
            throw new JsonException(e.Message, e);
        }
    }

    private static IJournalEvent? TryRead(ref Utf8JsonReader reader, string manifest)
    {
        switch (manifest)
        {
            case "layer-committed-1": return new CatalogEvent.LayerCommitted(Layer(ref reader));
            case "layer-sealed-1": return new CatalogEvent.LayerSealed(Layer(ref reader));
            case "layer-removed-1": return new CatalogEvent.LayerRemoved(LayerId.Parse(Subject(ref reader, "layer").Id));
            case "layer-named-1":
                var (layer, layerNames, _, _) = Subject(ref reader, "layer");
                return new CatalogEvent.LayerNamed(LayerId.Parse(layer), layerNames ?? throw JsonRead.Missing("names"));
            case "image-put-1": return new CatalogEvent.ImagePut(Image(ref reader));
            case "image-removed-1": return new CatalogEvent.ImageRemoved(ImageId.Parse(Subject(ref reader, "image").Id));
            case "image-named-1" or "image-named-2":
                var (image, imageNames, history, given) = Subject(ref reader, "image");
                return new CatalogEvent.ImageNamed(ImageId.Parse(image), imageNames ?? throw JsonRead.Missing("names"), history, given);
            case "catalog-1": return Snapshot(ref reader);
            default: return null;
        }
    }

    private static LayerRecord Layer(ref Utf8JsonReader reader)
    {
        LayerRecord? layer = null;
        JsonRead.BeginDocument(ref reader);
        while (JsonRead.NextMember(ref reader, out var name))
        {
            if (name == "layer") layer = LayerRecordJson.Read(ref reader);
            else JsonRead.Pass(ref reader);
        }

        return layer ?? throw JsonRead.Missing("layer");
    }

    private static ImageRecord Image(ref Utf8JsonReader reader)
    {
        ImageRecord? image = null;
        JsonRead.BeginDocument(ref reader);
        while (JsonRead.NextMember(ref reader, out var name))
        {
            if (name == "image") image = ImageRecordJson.Read(ref reader);
            else JsonRead.Pass(ref reader);
        }

        return image ?? throw JsonRead.Missing("image");
    }

    /// <summary>What an event is about, the names that it has, those that it ever had, and those that it was given now.</summary>
    private static (string Id, string[]? Names, string[]? History, string[]? Given) Subject(ref Utf8JsonReader reader, string member)
    {
        string? id = null;
        string[]? names = null, history = null, given = null;
        JsonRead.BeginDocument(ref reader);
        while (JsonRead.NextMember(ref reader, out var name))
        {
            if (name == member) id = JsonRead.Text(ref reader);
            else if (name == "names") names = JsonRead.Texts(ref reader);
            else if (name == "history") history = JsonRead.TextsOrNull(ref reader);
            else if (name == "given") given = JsonRead.TextsOrNull(ref reader);
            else JsonRead.Pass(ref reader);
        }

        return (id ?? throw JsonRead.Missing(member), names, history, given);
    }

    private static CatalogEvent.Snapshot Snapshot(ref Utf8JsonReader reader)
    {
        List<LayerRecord>? layers = null;
        List<ImageRecord>? images = null;
        JsonRead.BeginDocument(ref reader);
        while (JsonRead.NextMember(ref reader, out var name))
        {
            if (name == "layers")
            {
                JsonRead.Begin(ref reader, JsonTokenType.StartArray);
                layers = [];
                while (JsonRead.NextItem(ref reader)) layers.Add(LayerRecordJson.Read(ref reader));
            }
            else if (name == "images")
            {
                JsonRead.Begin(ref reader, JsonTokenType.StartArray);
                images = [];
                while (JsonRead.NextItem(ref reader)) images.Add(ImageRecordJson.Read(ref reader));
            }
            else
            {
                JsonRead.Pass(ref reader);
            }
        }

        return new CatalogEvent.Snapshot(new ListedLayers(layers ?? throw JsonRead.Missing("layers")), images ?? throw JsonRead.Missing("images"));
    }
}
