using StorageActors.Protocol;

namespace StorageActors.Images.Reading;

/// <summary>The files of an image layout in a directory. Names are made by the reader (never taken from a document), so none leads out.</summary>
internal sealed class DirectoryFiles : IImageFiles
{
    private DirectoryFiles(string path) => Path = path;

    public string Path { get; }

    /// <exception cref="StorageException">Not found: there is no such directory.</exception>
    internal static DirectoryFiles Open(string path) => Directory.Exists(path) ? new DirectoryFiles(path) : throw ImageFault.Missing(path, "no such directory");

    public BlobSource? Find(string name)
    {
        var file = new FileInfo(System.IO.Path.Combine(Path, name));
        return file.Exists ? new BlobSource(file.FullName, 0, file.Length) : null;
    }

    public void Dispose()
    {
    }
}
