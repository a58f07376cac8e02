using System.Runtime.InteropServices;
using StorageActors.Protocol;

namespace StorageActors.Images;

/// <summary>The operating system and processor that an image is for, in the words of the OCI specification.</summary>
/// <param name="Os">As in <c>linux</c>.</param>
/// <param name="Architecture">As in <c>amd64</c>, <c>arm64</c>.</param>
/// <param name="Variant">As in <c>v8</c>; any if not given.</param>
public sealed record Platform(string Os, string Architecture, string? Variant = null)
{
    /// <summary>The platform of this machine.</summary>
    public static Platform Host { get; } = new("linux", RuntimeInformation.ProcessArchitecture switch
    {
        System.Runtime.InteropServices.Architecture.X64 => "amd64",
        System.Runtime.InteropServices.Architecture.X86 => "386",
        var other => other.ToString().ToLowerInvariant(),
    });

    /// <summary>Reads <c>os/arch</c> or <c>os/arch/variant</c>.</summary>
    /// <param name="text">What the user wrote.</param>
    /// <exception cref="StorageException">It has another form.</exception>
    public static Platform Parse(string text) => text.Split('/') switch
    {
        [{ Length: > 0 } os, { Length: > 0 } architecture] => new Platform(os, architecture),
        [{ Length: > 0 } os, { Length: > 0 } architecture, { Length: > 0 } variant] => new Platform(os, architecture, variant),
        _ => throw new StorageException(new StorageError(
            StorageErrorCode.InvalidArgument, "platform", $"\"{text}\" is no platform: os/arch is, as in linux/amd64")),
    };

    /// <inheritdoc/>
    public override string ToString() => Variant is null ? $"{Os}/{Architecture}" : $"{Os}/{Architecture}/{Variant}";

    /// <summary>Whether an image for <paramref name="other"/> is one for this; variants count only where both name one.</summary>
    internal bool Matches(Platform other) =>
        string.Equals(Os, other.Os, StringComparison.Ordinal)
        && string.Equals(Architecture, other.Architecture, StringComparison.Ordinal)
        && (Variant is null || other.Variant is null || string.Equals(Variant, other.Variant, StringComparison.Ordinal));
}
