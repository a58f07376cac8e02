using StorageActors.Protocol;

namespace StorageActors.Images;

/// <summary>Where an image lies, or is to lie, outside a store.</summary>
/// <param name="Format">How.</param>
/// <param name="Path">Absolute path of the directory or file.</param>
/// <param name="Tag">Which image of several: an OCI reference name, or a docker name with tag.</param>
public sealed record ImageLocation(ImageFormat Format, string Path, string? Tag)
{
    private static readonly (string Prefix, ImageFormat Format)[] Schemes =
    [
        ("oci:", ImageFormat.OciLayout), ("oci-archive:", ImageFormat.OciArchive), ("docker-archive:", ImageFormat.DockerArchive),
    ];

    /// <summary>
    /// Reads <c>oci:DIR[:TAG]</c>, <c>oci-archive:FILE[:TAG]</c> or <c>docker-archive:FILE[:NAME:TAG]</c>. A plain path is looked at: a directory with
    /// an <c>oci-layout</c>, a tar with one, a tar with a <c>manifest.json</c>.
    /// </summary>
    /// <param name="text">What the user wrote.</param>
    /// <param name="stop">Gives up looking.</param>
    /// <exception cref="StorageException">It names nothing that could be an image.</exception>
    public static ImageLocation Parse(string text, CancellationToken stop = default)
    {
        foreach (var (prefix, format) in Schemes)
        {
            if (!text.StartsWith(prefix, StringComparison.Ordinal)) continue;
            var rest = text[prefix.Length..];
            var colon = rest.IndexOf(':', StringComparison.Ordinal);
            var (path, tag) = colon < 0 ? (rest, null) : (rest[..colon], rest[(colon + 1)..]);
            if (path.Length == 0 || tag is "") throw Refuse(text, "a path is missing, or a tag after the colon");
            return new ImageLocation(format, System.IO.Path.GetFullPath(path), tag);
        }

        return Recognise(text, stop);
    }

    /// <summary>The same for where an image is to go. A plain path says what it is to be only where there is such an image already.</summary>
    /// <param name="text">What the user wrote.</param>
    /// <param name="stop">Gives up looking.</param>
    /// <exception cref="StorageException">It does not say what it is to be.</exception>
    public static ImageLocation ParseDestination(string text, CancellationToken stop = default)
    {
        if (Schemes.Any(scheme => text.StartsWith(scheme.Prefix, StringComparison.Ordinal)) || System.IO.Path.Exists(text)) return Parse(text, stop);
        throw new StorageException(new StorageError(
            StorageErrorCode.InvalidArgument, "open image", $"{text}: nothing is there, so it does not say what it is to be. Write oci:{text}, oci-archive:{text} or docker-archive:{text}", text));
    }

    /// <inheritdoc/>
    public override string ToString() =>
        Schemes.First(scheme => scheme.Format == Format).Prefix + Path + (Tag is null ? "" : ":" + Tag);

    private static ImageLocation Recognise(string text, CancellationToken stop)
    {
        var path = System.IO.Path.GetFullPath(text);
        if (Directory.Exists(path))
        {
            if (File.Exists(System.IO.Path.Combine(path, "oci-layout"))) return new ImageLocation(ImageFormat.OciLayout, path, null);
            throw Refuse(text, "the directory has no file oci-layout, so it is no OCI image layout", StorageErrorCode.BadInput);
        }

        if (!File.Exists(path)) throw Refuse(text, "no such file or directory", StorageErrorCode.NotFound);
        if (Reading.ArchiveFiles.Recognise(path, stop) is { } format) return new ImageLocation(format, path, null);
        throw Refuse(text, "the archive holds neither an OCI image layout nor a docker manifest.json; a layer's tar is taken by apply", StorageErrorCode.BadInput);
    }

    private static StorageException Refuse(string text, string why, StorageErrorCode code = StorageErrorCode.InvalidArgument) =>
        new(new StorageError(code, "open image", $"{text}: {why}. An image is oci:DIR[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME:TAG] or such a path", text));
}
