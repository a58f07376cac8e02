using System.ComponentModel;
using System.Text.Json.Serialization;
using StorageActors.Protocol.Identity;

namespace StorageActors.Protocol;

/// <summary>
/// The name of a layer inside its store, and of its directory on disk: 2 to 128 characters of <c>A-Z a-z 0-9 . _ -</c>, not starting with
/// a dot or a dash, so that no id can leave the driver's home. Ids made by the store are 64 hexadecimal digits.
/// </summary>
[TypeConverter(typeof(StringValueTypeConverter<LayerId>))]
[JsonConverter(typeof(StringValueJsonConverter<LayerId>))]
public readonly record struct LayerId : IStringValue<LayerId>
{
    private LayerId(string value) => Value = value;

    /// <inheritdoc/>
    public string Value { get; }

    /// <inheritdoc/>
    public static LayerId Parse(string text) =>
        IdText.IsFileName(text, 2, 128) ? new LayerId(text)
            : throw new FormatException($"\"{IdText.Printable(text)}\" is no layer id: 2 to 128 of A-Z a-z 0-9 . _ - are, not starting with . or -");

    /// <summary>A random id of 64 hexadecimal digits whose first 12 are not all decimal (such a prefix reads like a number).</summary>
    public static LayerId New() => new(IdText.RandomHex(64));

    /// <inheritdoc/>
    public override string ToString() => Value ?? "";
}
