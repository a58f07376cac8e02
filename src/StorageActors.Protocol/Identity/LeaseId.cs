using System.ComponentModel;
using System.Text.Json.Serialization;
using StorageActors.Protocol.Identity;

namespace StorageActors.Protocol;

/// <summary>The name under which somebody holds a mount: 1 to 255 printable characters without spaces, chosen by the holder, unique within a layer.</summary>
[TypeConverter(typeof(StringValueTypeConverter<LeaseId>))]
[JsonConverter(typeof(StringValueJsonConverter<LeaseId>))]
public readonly record struct LeaseId : IStringValue<LeaseId>
{
    private LeaseId(string value) => Value = value;

    /// <inheritdoc/>
    public string Value { get; }

    /// <inheritdoc/>
    public static LeaseId Parse(string text) =>
        IsLease(text) ? new LeaseId(text)
            : throw new FormatException($"\"{IdText.Printable(text)}\" is no lease name: 1 to 255 printable characters without spaces are");

    /// <summary>A fresh random name.</summary>
    public static LeaseId New() => new("lease-" + IdText.RandomHex(16));

    private static bool IsLease(string? text) =>
        text is { Length: >= 1 and <= 255 } && !text.Any(static c => char.IsControl(c) || char.IsWhiteSpace(c));

    /// <inheritdoc/>
    public override string ToString() => Value ?? "";
}
