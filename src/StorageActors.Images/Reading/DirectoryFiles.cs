using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Images.Reading;

/// <summary>The files of an image layout in a directory. Names are made by the reader (never taken from a document), so none leads out.</summary>
internal sealed class DirectoryFiles : IImageFiles
{
    private DirectoryFiles(string path) => Path = path;

    public string Path { get; }

    /// <exception cref="StorageException">Not found: there is no such directory.</exception>
    internal static DirectoryFiles Open(string path) => Directory.Exists(path) ? new DirectoryFiles(path) : throw ImageFault.Missing(path, "no such directory");

    /// <exception cref="LinuxException">It cannot be looked at, which does not make the image one that lacks it.</exception>
    public BlobSource? Find(string name)
    {
        var file = System.IO.Path.GetFullPath(name, System.IO.Path.GetFullPath(Path));
        var errno = Libc.TryStat(file, out var status, AtFlags.None);
        return errno switch
        {
            Errno.None => status.IsDirectory ? null : new BlobSource(file, 0, status.Size),
            Errno.ENOENT or Errno.ENOTDIR => null,
            _ => throw new LinuxException("stat", file, errno),
        };
    }

    public void Dispose()
    {
    }
}
