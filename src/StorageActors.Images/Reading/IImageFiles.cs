using StorageActors.Protocol;

namespace StorageActors.Images.Reading;

/// <summary>The files of an image, in a directory or in an archive, by their names inside it.</summary>
internal interface IImageFiles : IDisposable
{
    /// <summary>Where they are, for messages.</summary>
    string Path { get; }

    /// <summary>A file as a source for the engine, with its length; null if there is none of that name.</summary>
    BlobSource? Find(string name);
}

/// <summary>Reads documents: small files that are taken into memory.</summary>
internal static class ImageDocuments
{
    /// <summary>No document of an image is larger; registries refuse manifests of more than 4 MiB.</summary>
    internal const int Limit = 16 << 20;

    /// <summary>A document's bytes.</summary>
    internal static byte[] Read(this IImageFiles files, string name)
    {
        var source = files.Find(name) ?? throw ImageFault.Bad(files.Path, $"the file {name} is missing");
        if (source.Length > Limit) throw ImageFault.Bad(files.Path, $"{name} has {source.Length} bytes; a document may have {Limit}");
        var bytes = new byte[source.Length!.Value];
        using var file = File.OpenHandle(source.Path!, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var read = 0;
        while (read < bytes.Length)
        {
            var count = RandomAccess.Read(file, bytes.AsSpan(read), source.Offset + read);
            if (count == 0) throw ImageFault.Bad(files.Path, $"{name} ends early");
            read += count;
        }

        return bytes;
    }

    /// <summary>A document that is named by its digest, which is checked.</summary>
    internal static byte[] Read(this IImageFiles files, Descriptor descriptor)
    {
        var bytes = files.Read(BlobName(descriptor.Digest));
        if (bytes.Length != descriptor.Size)
            throw ImageFault.Bad(files.Path, $"{descriptor.Digest} has {bytes.Length} bytes where {descriptor.Size} are announced");
        var actual = Digest.Of(bytes);
        if (actual != descriptor.Digest)
        {
            throw new StorageException(new StorageError(
                StorageErrorCode.DigestMismatch, "read image", $"{files.Path}: the blob named {descriptor.Digest} has the digest {actual}", files.Path));
        }

        return bytes;
    }

    internal static string BlobName(Digest digest) => "blobs/sha256/" + digest.Hex;
}
