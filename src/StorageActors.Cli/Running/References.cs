using StorageActors.Client;
using StorageActors.Protocol;

namespace StorageActors.Cli.Running;

/// <summary>What the user's words name: an id, a unique prefix of one, a name, or a mount path.</summary>
internal static class References
{
    /// <summary>The layer that is meant.</summary>
    /// <exception cref="StorageException">None, or several; or it names an image.</exception>
    internal static async Task<LayerRecord> LayerAsync(this StorageClient client, string reference, CancellationToken stop)
    {
        var found = await client.ResolveAsync(PathOrName(reference), stop);
        if (found.Layer is { } layer) return layer;
        var top = found.Image!.Layers is [.., var last] ? $" Its top layer is {last.Value}." : "";
        throw Refusal(StorageErrorCode.NotFound, reference, $"{reference} names an image, not a layer.{top}", StorageErrorReason.NotALayer);
    }

    /// <summary>The layer whose mount is meant: for an image, which is mounted by the layer that shows all of it, the topmost one.</summary>
    /// <exception cref="StorageException">None, or several; or it names an image without layers.</exception>
    internal static async Task<LayerId> MountableAsync(this StorageClient client, string reference, CancellationToken stop)
    {
        var found = await client.ResolveAsync(PathOrName(reference), stop);
        if (found.Layer is { } layer) return layer.Id;
        return found.Image!.Layers is [.., var top] ? top : throw Refusal(StorageErrorCode.InvalidArgument, reference, $"the image {reference} has no layer to be mounted");
    }

    /// <summary>The image that is meant.</summary>
    /// <exception cref="StorageException">None, or several; or it names a layer.</exception>
    internal static async Task<ImageRecord> ImageAsync(this StorageClient client, string reference, CancellationToken stop) =>
        (await client.ResolveAsync(reference, stop)).Image
        ?? throw Refusal(StorageErrorCode.NotFound, reference, $"{reference} names a layer, not an image. See storage-actors images.", StorageErrorReason.NotAnImage);

    /// <summary>The one layer or image that is meant.</summary>
    /// <exception cref="StorageException">None, or several; or a layer and an image share the name.</exception>
    internal static async Task<CatalogProtocol.Resolved> EitherAsync(this StorageClient client, string reference, CancellationToken stop)
    {
        var found = await client.ResolveAsync(PathOrName(reference), stop);
        if (found is not { Layer: { } layer, Image: { } image }) return found;
        throw Refusal(
            StorageErrorCode.InvalidArgument, reference, $"{reference} names a layer and an image. Say which by its id: layer {layer.Id}, image {image.Id}.", StorageErrorReason.AmbiguousReference);
    }

    /// <summary>The layer of an optional reference.</summary>
    internal static async Task<LayerId?> LayerOrNoneAsync(this StorageClient client, string? reference, CancellationToken stop) =>
        reference is null ? null : (await client.LayerAsync(reference, stop)).Id;

    /// <summary>Whether it is a path: a name may have slashes, too, but does not begin with one or with a dot.</summary>
    internal static bool IsPath(string reference) => reference is ['/' or '.', ..];

    private static string PathOrName(string reference) =>
        IsPath(reference) ? Path.TrimEndingDirectorySeparator(Path.GetFullPath(reference)) : reference;

    private static StorageException Refusal(StorageErrorCode code, string reference, string message, StorageErrorReason? reason = null) =>
        new(new StorageError(code, "resolve", message, reference, Reason: reason));
}
