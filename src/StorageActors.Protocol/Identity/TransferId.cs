using System.ComponentModel;
using System.Text.Json.Serialization;
using StorageActors.Protocol.Identity;

namespace StorageActors.Protocol;

/// <summary>The name of a stream that a host writes to (upload) or reads from (download) while a command that names it runs.</summary>
[TypeConverter(typeof(StringValueTypeConverter<TransferId>))]
[JsonConverter(typeof(StringValueJsonConverter<TransferId>))]
public readonly record struct TransferId : IStringValue<TransferId>
{
    private TransferId(string value) => Value = value;

    /// <inheritdoc/>
    public string Value { get; }

    /// <inheritdoc/>
    public static TransferId Parse(string text) =>
        IdText.IsFileName(text, 2, 128) ? new TransferId(text)
            : throw new FormatException($"\"{IdText.Printable(text)}\" is no transfer id: 2 to 128 of A-Z a-z 0-9 . _ - are, not starting with . or -");

    /// <summary>A fresh random id.</summary>
    public static TransferId New() => new(IdText.RandomHex(26));

    /// <inheritdoc/>
    public override string ToString() => Value ?? "";
}
