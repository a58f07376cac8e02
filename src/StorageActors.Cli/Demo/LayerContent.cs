using System.Formats.Tar;
using StorageActors.Linux;

namespace StorageActors.Cli.Demo;

/// <summary>Writes one layer's tar: trees of this machine's own files, and what an image has besides files.</summary>
internal sealed class LayerContent : IDisposable
{
    private static readonly DateTimeOffset Stamp = new(2025, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly TarWriter _tar;
    private readonly HashSet<string> _directories = new(StringComparer.Ordinal);
    private readonly CancellationToken _stop;

    /// <summary>Without root's rights nobody can give files away, so they keep belonging to whoever runs this.</summary>
    private readonly int _owner = (int)Libc.GetEuid();
    private readonly int _group = (int)Libc.GetEgid();

    internal LayerContent(Stream target, CancellationToken stop)
    {
        _tar = new TarWriter(target, TarEntryFormat.Pax, leaveOpen: true);
        _stop = stop;
    }

    /// <summary>A directory, and those above it that this layer has not yet.</summary>
    internal void Directory(string path, UnixFileMode mode = (UnixFileMode)0x1ED)   // 0755
    {
        var slash = path.LastIndexOf('/');
        if (slash > 0) Directory(path[..slash]);
        if (_directories.Add(path)) Write(new PaxTarEntry(TarEntryType.Directory, path + "/"), mode);
    }

    /// <summary>Everything below a directory of this machine.</summary>
    internal void Tree(string source, string path)
    {
        Directory(path);
        foreach (var entry in new DirectoryInfo(source).EnumerateFileSystemInfos().OrderBy(static entry => entry.Name, StringComparer.Ordinal))
        {
            var name = $"{path}/{entry.Name}";
            if (entry.LinkTarget is { } target) SymbolicLink(name, target);
            else if (entry is DirectoryInfo) Tree(entry.FullName, name);
            else File(entry.FullName, name);
        }
    }

    /// <summary>A file of this machine.</summary>
    internal void File(string source, string path)
    {
        using var content = new FileStream(source, FileMode.Open, FileAccess.Read, FileShare.Read, 1);
        Write(new PaxTarEntry(TarEntryType.RegularFile, path) { DataStream = content }, System.IO.File.GetUnixFileMode(content.SafeFileHandle));
    }

    /// <summary>A file with this text.</summary>
    internal void Text(string path, string text)
    {
        using var content = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(text));
        Write(new PaxTarEntry(TarEntryType.RegularFile, path) { DataStream = content }, (UnixFileMode)0x1A4);   // 0644
    }

    internal void HardLink(string path, string target) => Write(new PaxTarEntry(TarEntryType.HardLink, path) { LinkName = target }, (UnixFileMode)0x1ED);

    internal void SymbolicLink(string path, string target) => Write(new PaxTarEntry(TarEntryType.SymbolicLink, path) { LinkName = target }, (UnixFileMode)0x1FF);

    /// <summary>Takes away what a layer below has under this path.</summary>
    internal void Whiteout(string path)
    {
        var slash = path.LastIndexOf('/');
        Directory(path[..slash]);
        Text($"{path[..slash]}/.wh.{path[(slash + 1)..]}", "");
    }

    /// <summary>Takes away all that layers below have in this directory.</summary>
    internal void Opaque(string path)
    {
        Directory(path);
        Text($"{path}/.wh..wh..opq", "");
    }

    /// <inheritdoc/>
    public void Dispose() => _tar.Dispose();

    private void Write(PaxTarEntry entry, UnixFileMode mode)
    {
        _stop.ThrowIfCancellationRequested();
        (entry.Mode, entry.Uid, entry.Gid, entry.ModificationTime) = (mode, _owner, _group, Stamp);
        _tar.WriteEntry(entry);
    }
}
