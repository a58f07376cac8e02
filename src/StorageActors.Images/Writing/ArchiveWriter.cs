using System.Formats.Tar;

namespace StorageActors.Images.Writing;

/// <summary>Packs files into a tar that is the same for the same files: fixed owner, mode and time, in the order given.</summary>
internal sealed class ArchiveWriter(Stream output) : IAsyncDisposable
{
    private readonly TarWriter _tar = new(output, TarEntryFormat.Pax, leaveOpen: true);

    internal async Task AddAsync(string name, Stream content, CancellationToken stop)
    {
        // GNU format has no records with the time of writing, and holds any size.
        var entry = new GnuTarEntry(TarEntryType.RegularFile, name)
        {
            Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead,
            ModificationTime = DateTimeOffset.UnixEpoch,
            DataStream = content,
        };
        await _tar.WriteEntryAsync(entry, stop).ConfigureAwait(false);
    }

    internal async Task AddFileAsync(string name, string path, CancellationToken stop)
    {
        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 20, useAsync: false);
        await using var disposed = file.ConfigureAwait(false);
        await AddAsync(name, file, stop).ConfigureAwait(false);
    }

    internal async Task AddBytesAsync(string name, byte[] content, CancellationToken stop)
    {
        using var stream = new MemoryStream(content, writable: false);
        await AddAsync(name, stream, stop).ConfigureAwait(false);
    }

    public ValueTask DisposeAsync() => _tar.DisposeAsync();
}
