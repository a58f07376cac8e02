using System.ComponentModel;
using System.Text.Json.Serialization;
using StorageActors.Protocol.Identity;

namespace StorageActors.Protocol;

/// <summary>The name of an image: the 64 hexadecimal digits of its configuration's SHA-256, as every container tool has it.</summary>
[TypeConverter(typeof(StringValueTypeConverter<ImageId>))]
[JsonConverter(typeof(StringValueJsonConverter<ImageId>))]
public readonly record struct ImageId : IStringValue<ImageId>
{
    private ImageId(string value) => Value = value;

    /// <inheritdoc/>
    public string Value { get; }

    /// <inheritdoc/>
    public static ImageId Parse(string text) =>
        text is { Length: 64 } && IdText.IsHex(text) ? new ImageId(text)
            : throw new FormatException($"\"{IdText.Printable(text)}\" is no image id: 64 lower-case hexadecimal digits are");

    /// <summary>The id of the image whose configuration has <paramref name="config"/> as its digest.</summary>
    public static ImageId Of(Digest config) => new(config.Hex);

    /// <inheritdoc/>
    public override string ToString() => Value ?? "";
}
