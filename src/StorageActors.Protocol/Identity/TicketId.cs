using System.ComponentModel;
using System.Text.Json.Serialization;
using StorageActors.Protocol.Identity;

namespace StorageActors.Protocol;

/// <summary>The name of one extraction while it is staged; progress events and cancellation carry it.</summary>
[TypeConverter(typeof(StringValueTypeConverter<TicketId>))]
[JsonConverter(typeof(StringValueJsonConverter<TicketId>))]
public readonly record struct TicketId : IStringValue<TicketId>
{
    private TicketId(string value) => Value = value;

    /// <inheritdoc/>
    public string Value { get; }

    /// <inheritdoc/>
    public static TicketId Parse(string text) =>
        IdText.IsFileName(text, 2, 128) ? new TicketId(text)
            : throw new FormatException($"\"{IdText.Printable(text)}\" is no ticket: 2 to 128 of A-Z a-z 0-9 . _ - are, not starting with . or -");

    /// <summary>A fresh random ticket.</summary>
    public static TicketId New() => new(IdText.RandomHex(26));

    /// <inheritdoc/>
    public override string ToString() => Value ?? "";
}
