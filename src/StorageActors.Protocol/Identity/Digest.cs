using System.ComponentModel;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Serialization;
using StorageActors.Protocol.Identity;

namespace StorageActors.Protocol;

/// <summary>A SHA-256 digest in the text form of the OCI specification: <c>sha256:</c> and 64 lower-case hexadecimal digits.</summary>
[TypeConverter(typeof(StringValueTypeConverter<Digest>))]
[JsonConverter(typeof(StringValueJsonConverter<Digest>))]
public readonly record struct Digest : IStringValue<Digest>
{
    private const string Prefix = "sha256:";

    private Digest(string value) => Value = value;

    /// <summary>The DiffID of the empty layer: the digest of 1024 zero bytes (an archive of no entries).</summary>
    public static Digest EmptyLayer { get; } = Parse("sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef");

    /// <inheritdoc/>
    public string Value { get; }

    /// <summary>The 64 hexadecimal digits.</summary>
    public string Hex => Value[Prefix.Length..];

    /// <inheritdoc/>
    public static Digest Parse(string text) =>
        text is { Length: 71 } && text.StartsWith(Prefix, StringComparison.Ordinal) && IdText.IsHex(text.AsSpan(Prefix.Length)) ? new Digest(text)
            : throw new FormatException($"\"{IdText.Printable(text)}\" is no digest: sha256: and 64 lower-case hexadecimal digits are");

    /// <summary>The digest whose 32 bytes are <paramref name="sha256"/>.</summary>
    public static Digest FromBytes(ReadOnlySpan<byte> sha256) =>
        sha256.Length == 32 ? new Digest(Prefix + Convert.ToHexStringLower(sha256)) : throw new FormatException("a SHA-256 digest has 32 bytes");

    /// <summary>The digest of <paramref name="content"/>.</summary>
    public static Digest Of(ReadOnlySpan<byte> content) => FromBytes(SHA256.HashData(content));

    /// <summary>
    /// The ChainID of a layer (OCI image specification): its DiffID when it has no parent, else the digest of
    /// <c>parent's ChainID + " " + DiffID</c> in text form.
    /// </summary>
    public static Digest Chain(Digest? parentChain, Digest diffId) =>
        parentChain is { } parent ? Of(Encoding.ASCII.GetBytes($"{parent.Value} {diffId.Value}")) : diffId;

    /// <inheritdoc/>
    public override string ToString() => Value ?? "";
}
