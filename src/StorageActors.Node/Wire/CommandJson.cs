using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using StorageActors.Protocol;
using StorageActors.Protocol.Identity;
using StorageActors.Records;

namespace StorageActors.Node.Wire;

/// <summary>
/// The commands of short verbs as JSON by hand, byte for byte as the serializer's own way has them: a process that sends one command and ends would spend most of its time
/// on compiling the generic code for the types of their properties. What is null is left out, also where it must not be: the node says so. See <see cref="JsonRead"/>.
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
            case CatalogProtocol.Resolve command: Text(writer, "reference"u8, command.Reference); return true;
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
        Mounting(writer, command.Options);
        if (command.Owner is { } owner) writer.WriteString("owner"u8, owner.Value);
        if (command.Term is { } term) writer.WriteString("term"u8, term.ToString("c", CultureInfo.InvariantCulture));
    }

    private static void Mounting(Utf8JsonWriter writer, MountOptions? options)
    {
        if (options is null) return;
        writer.WriteStartObject("options"u8);
        writer.WriteBoolean("readOnly"u8, options.ReadOnly);
        Texts(writer, "options"u8, options.Options);
        IdsOf(writer, options.Ids);
        writer.WriteEndObject();
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
        Texts(writer, "names"u8, command.Names);
        Pairs(writer, "labels"u8, command.Labels);
        Ticket(writer, command.Ticket);
    }

    private static void Members(Utf8JsonWriter writer, StoreProtocol.Apply command)
    {
        Parent(writer, command.Parent);
        Objects(writer, "items"u8, command.Items, static (writer, item) =>
        {
            Source(writer, item.Source);
            Spec(writer, item.Spec);
            Expect(writer, item.Expect);
            Ticket(writer, item.Ticket);
        });
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
        Texts(writer, "add"u8, command.Add);
        Texts(writer, "remove"u8, command.Remove);
        writer.WriteBoolean("steal"u8, command.Steal);
    }

    private static void Members(Utf8JsonWriter writer, CatalogProtocol.ChangeLabels command)
    {
        Layer(writer, command.Layer);
        Pairs(writer, "labels"u8, command.Labels);
        Image(writer, command.Image);
    }

    private static void Source(Utf8JsonWriter writer, BlobSource? source)
    {
        if (source is null) return;
        writer.WriteStartObject("source"u8);
        Text(writer, "path"u8, source.Path);
        writer.WriteNumber("offset"u8, source.Offset);
        JsonWrite.Number(writer, "length"u8, source.Length);
        if (source.Upload is { } upload) writer.WriteString("upload"u8, upload.Value);
        writer.WriteEndObject();
    }

    private static void Spec(Utf8JsonWriter writer, StoreProtocol.LayerSpec? spec)
    {
        if (spec is null) return;
        writer.WriteStartObject("spec"u8);
        if (spec.Id is { } id) writer.WriteString("id"u8, id.Value);
        Texts(writer, "names"u8, spec.Names);
        Pairs(writer, "labels"u8, spec.Labels);
        Objects(writer, "documents"u8, spec.Documents, static (writer, document) =>
        {
            Text(writer, "key"u8, document.Key);
            if (document.Content is { } content) writer.WriteBase64String("content"u8, content);
        });
        writer.WriteEndObject();
    }

    private static void Expect(Utf8JsonWriter writer, StoreProtocol.Expectations? expect)
    {
        if (expect is null) return;
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

    private static void Objects<T>(Utf8JsonWriter writer, ReadOnlySpan<byte> name, IReadOnlyList<T>? values, Action<Utf8JsonWriter, T> members)
        where T : class
    {
        if (values is null) return;
        writer.WriteStartArray(name);
        foreach (var value in values)
        {
            if ((T?)value is null)
            {
                writer.WriteNullValue();
                continue;
            }

            writer.WriteStartObject();
            members(writer, value);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static void Texts(Utf8JsonWriter writer, ReadOnlySpan<byte> name, IReadOnlyList<string>? values)
    {
        if (values is not null) JsonWrite.Texts(writer, name, values);
    }

    private static void Pairs(Utf8JsonWriter writer, ReadOnlySpan<byte> name, IReadOnlyDictionary<string, string>? values)
    {
        if (values is not null) JsonWrite.Pairs(writer, name, values);
    }

    private static void Text(Utf8JsonWriter writer, ReadOnlySpan<byte> name, string? text)
    {
        if (text is not null) writer.WriteString(name, text);
    }
}
