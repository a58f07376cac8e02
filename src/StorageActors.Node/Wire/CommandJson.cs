using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using StorageActors.Protocol;
using StorageActors.Protocol.Identity;
using StorageActors.Records;

namespace StorageActors.Node.Wire;

/// <summary>
/// The commands of short verbs as JSON by hand, byte for byte as the serializer's own way has them: a process that sends one command and ends would spend most of its time
/// on compiling the generic code for the types of their properties. See <see cref="JsonRead"/>.
/// </summary>
internal static class CommandJson
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };
    private static readonly IdMapJsonConverter Ids = new();

    /// <summary>Whether it is answered in a moment, as far as anything is, so that who sends it does nothing else meanwhile.</summary>
    internal static bool IsShort(StoreProtocol.ICommand command) => command is
        CatalogProtocol.ListLayers or CatalogProtocol.ListImages or CatalogProtocol.ListMounts or CatalogProtocol.Resolve or CatalogProtocol.ChangeNames or CatalogProtocol.ChangeLabels
        or LayerProtocol.Acquire or LayerProtocol.Release or LayerProtocol.ReleaseAll or StoreProtocol.GetMetadata or StoreProtocol.Create or StoreProtocol.Remove;

    /// <summary>The command's document; none for a message that is left to the serializer.</summary>
    internal static byte[]? TryWrite(object message)
    {
        if (message is not StoreProtocol.ICommand) return null;
        using var bytes = new MemoryStream();
        using var writer = new Utf8JsonWriter(bytes, Options);
        writer.WriteStartObject();
        if (!TryWriteMembers(writer, message)) return null;
        writer.WriteEndObject();
        writer.Flush();
        return bytes.ToArray();
    }

    private static bool TryWriteMembers(Utf8JsonWriter writer, object message)
    {
        switch (message)
        {
            case CatalogProtocol.ListLayers or CatalogProtocol.ListImages or CatalogProtocol.ListMounts or StoreProtocol.GetInfo or StoreProtocol.GetStatistics: return true;
            case CatalogProtocol.Resolve command: writer.WriteString("reference"u8, command.Reference); return true;
            case LayerProtocol.Acquire command: Members(writer, command); return true;
            case LayerProtocol.Release command: Members(writer, command); return true;
            case LayerProtocol.ReleaseAll command: Members(writer, command); return true;
            case LayerProtocol.WhyBusy command: Layer(writer, command.Layer); return true;
            case StoreProtocol.GetMetadata command: Layer(writer, command.Layer); return true;
            case StoreProtocol.GetUsage command: Layer(writer, command.Layer); return true;
            case StoreProtocol.Create command: Members(writer, command); return true;
            case StoreProtocol.Seal command: Members(writer, command); return true;
            case StoreProtocol.Apply command: Members(writer, command); return true;
            case StoreProtocol.Remove command: Members(writer, command); return true;
            case CatalogProtocol.RemoveImage command: Members(writer, command); return true;
            case CatalogProtocol.ChangeNames command: Members(writer, command); return true;
            case CatalogProtocol.ChangeLabels command: Members(writer, command); return true;
            default: return false;
        }
    }

    private static void Members(Utf8JsonWriter writer, LayerProtocol.Acquire command)
    {
        Layer(writer, command.Layer);
        writer.WriteString("lease"u8, command.Lease.Value);
        writer.WriteStartObject("options"u8);
        writer.WriteBoolean("readOnly"u8, command.Options.ReadOnly);
        if (command.Options.Options is { } options) JsonWrite.Texts(writer, "options"u8, options);
        IdsOf(writer, command.Options.Ids);
        writer.WriteEndObject();
        if (command.Owner is { } owner) writer.WriteString("owner"u8, owner.Value);
        if (command.Term is { } term) writer.WriteString("term"u8, term.ToString("c", CultureInfo.InvariantCulture));
    }

    private static void Members(Utf8JsonWriter writer, LayerProtocol.Release command)
    {
        Layer(writer, command.Layer);
        if (command.Lease is { } lease) writer.WriteString("lease"u8, lease.Value);
        writer.WriteBoolean("force"u8, command.Force);
        Text(writer, "reason"u8, command.Reason);
    }

    private static void Members(Utf8JsonWriter writer, LayerProtocol.ReleaseAll command)
    {
        Layer(writer, command.Layer);
        writer.WriteBoolean("force"u8, command.Force);
        Text(writer, "reason"u8, command.Reason);
    }

    private static void Members(Utf8JsonWriter writer, StoreProtocol.Create command)
    {
        Parent(writer, command.Parent);
        Spec(writer, command.Spec);
        IdsOf(writer, command.Ids);
    }

    private static void Members(Utf8JsonWriter writer, StoreProtocol.Seal command)
    {
        Layer(writer, command.Layer);
        if (command.Names is { } names) JsonWrite.Texts(writer, "names"u8, names);
        if (command.Labels is { } labels) JsonWrite.Pairs(writer, "labels"u8, labels);
        Ticket(writer, command.Ticket);
    }

    private static void Members(Utf8JsonWriter writer, StoreProtocol.Apply command)
    {
        Parent(writer, command.Parent);
        writer.WriteStartArray("items"u8);
        foreach (var item in command.Items)
        {
            writer.WriteStartObject();
            Source(writer, item.Source);
            Spec(writer, item.Spec);
            Expect(writer, item.Expect);
            Ticket(writer, item.Ticket);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteBoolean("reuse"u8, command.Reuse);
    }

    private static void Members(Utf8JsonWriter writer, StoreProtocol.Remove command)
    {
        Layer(writer, command.Layer);
        writer.WriteBoolean("force"u8, command.Force);
        Text(writer, "heldBy"u8, command.HeldBy);
    }

    private static void Members(Utf8JsonWriter writer, CatalogProtocol.RemoveImage command)
    {
        Image(writer, command.Image);
        writer.WriteBoolean("force"u8, command.Force);
        writer.WriteBoolean("dryRun"u8, command.DryRun);
    }

    private static void Members(Utf8JsonWriter writer, CatalogProtocol.ChangeNames command)
    {
        Layer(writer, command.Layer);
        Image(writer, command.Image);
        JsonWrite.Texts(writer, "add"u8, command.Add);
        JsonWrite.Texts(writer, "remove"u8, command.Remove);
        writer.WriteBoolean("steal"u8, command.Steal);
    }

    private static void Members(Utf8JsonWriter writer, CatalogProtocol.ChangeLabels command)
    {
        Layer(writer, command.Layer);
        JsonWrite.Pairs(writer, "labels"u8, command.Labels);
        Image(writer, command.Image);
    }

    private static void Source(Utf8JsonWriter writer, BlobSource source)
    {
        writer.WriteStartObject("source"u8);
        Text(writer, "path"u8, source.Path);
        writer.WriteNumber("offset"u8, source.Offset);
        JsonWrite.Number(writer, "length"u8, source.Length);
        if (source.Upload is { } upload) writer.WriteString("upload"u8, upload.Value);
        writer.WriteEndObject();
    }

    private static void Spec(Utf8JsonWriter writer, StoreProtocol.LayerSpec spec)
    {
        writer.WriteStartObject("spec"u8);
        if (spec.Id is { } id) writer.WriteString("id"u8, id.Value);
        if (spec.Names is { } names) JsonWrite.Texts(writer, "names"u8, names);
        if (spec.Labels is { } labels) JsonWrite.Pairs(writer, "labels"u8, labels);
        if (spec.Documents is { } documents)
        {
            writer.WriteStartArray("documents"u8);
            foreach (var document in documents)
            {
                writer.WriteStartObject();
                writer.WriteString("key"u8, document.Key);
                writer.WriteBase64String("content"u8, document.Content);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
        }

        writer.WriteEndObject();
    }

    private static void Expect(Utf8JsonWriter writer, StoreProtocol.Expectations expect)
    {
        writer.WriteStartObject("expect"u8);
        JsonWrite.Digest(writer, "diffId"u8, expect.DiffId);
        JsonWrite.Digest(writer, "blobDigest"u8, expect.BlobDigest);
        JsonWrite.Number(writer, "blobSize"u8, expect.BlobSize);
        JsonWrite.Number(writer, "maximumSize"u8, expect.MaximumSize);
        JsonWrite.Number(writer, "maximumEntries"u8, expect.MaximumEntries);
        writer.WriteEndObject();
    }

    private static void IdsOf(Utf8JsonWriter writer, IdMap? ids)
    {
        if (ids is null) return;
        writer.WritePropertyName("ids"u8);
        Ids.Write(writer, ids, null!);
    }

    private static void Layer(Utf8JsonWriter writer, LayerId? layer)
    {
        if (layer is { } id) writer.WriteString("layer"u8, id.Value);
    }

    private static void Parent(Utf8JsonWriter writer, LayerId? parent)
    {
        if (parent is { } id) writer.WriteString("parent"u8, id.Value);
    }

    private static void Image(Utf8JsonWriter writer, ImageId? image)
    {
        if (image is { } id) writer.WriteString("image"u8, id.Value);
    }

    private static void Ticket(Utf8JsonWriter writer, TicketId? ticket)
    {
        if (ticket is { } id) writer.WriteString("ticket"u8, id.Value);
    }

    private static void Text(Utf8JsonWriter writer, ReadOnlySpan<byte> name, string? text)
    {
        if (text is not null) writer.WriteString(name, text);
    }
}
