using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Win32.SafeHandles;
using StorageActors.Linux;

namespace StorageActors.TestSupport;

/// <summary>
/// A directory tree as text, a line for each name in the order of its bytes, so that a failed comparison shows the attribute that
/// differs: <c>./etc/x file 0644 0:0 12 mtime=1700000000.000000005 sha256=… user.a="b" links=./etc/y</c>.
/// </summary>
public sealed class TreeSnapshot
{
    private readonly SnapshotParts _parts;
    private readonly Func<string, bool> _shows;
    private readonly List<(string Name, StringBuilder Line, FileStatus Status)> _found = [];

    private TreeSnapshot(SnapshotParts parts, Func<string, bool>? showsXattr) =>
        (_parts, _shows) = (parts, showsXattr ?? (static _ => true));

    /// <summary>A line for each name, "." for the tree's root first.</summary>
    public IReadOnlyList<string> Lines { get; private set; } = [];

    /// <summary>Reads the tree below a path, crossing mounts but following no link.</summary>
    /// <param name="path">Its root.</param>
    /// <param name="parts">What to show.</param>
    /// <param name="showsXattr">Which attribute names to show; all when null.</param>
    public static TreeSnapshot Capture(string path, SnapshotParts parts = SnapshotParts.All, Func<string, bool>? showsXattr = null)
    {
        using var root = Libc.OpenDirectory(path);
        return Capture(root, parts, showsXattr);
    }

    /// <summary>Reads the tree below an open directory, such as that of a mount attached nowhere.</summary>
    public static TreeSnapshot Capture(SafeFileHandle root, SnapshotParts parts = SnapshotParts.All, Func<string, bool>? showsXattr = null)
    {
        var snapshot = new TreeSnapshot(parts, showsXattr);
        using var own = Libc.OpenAt(root, "."u8, OpenFlags.Directory);
        snapshot.Visit(own, "."u8, ".");
        snapshot.Finish();
        return snapshot;
    }

    /// <summary>The line of one name, without the leading "./"; null when it is not there.</summary>
    public string? LineOf(string name) => Lines.FirstOrDefault(line => line.StartsWith($"./{name} ", StringComparison.Ordinal));

    /// <summary>All lines.</summary>
    public override string ToString() => string.Join('\n', Lines);

    private void Visit(SafeFileHandle directory, ReadOnlySpan<byte> name, string shown)
    {
        var status = Libc.FStatAt(directory, name);
        _found.Add((shown, Describe(directory, name, shown, status), status));
        if (!status.IsDirectory) return;

        using var own = OpenQuietly(directory, name, OpenFlags.Directory | OpenFlags.NoFollow);
        var children = new List<byte[]>();
        using (var reader = new DirectoryReader(own))
        {
            while (reader.TryRead(out var entry)) children.Add(entry.Name.ToArray());
        }
        children.Sort(static (left, right) => left.AsSpan().SequenceCompareTo(right));
        foreach (var child in children) Visit(own, child, $"{shown}/{PathText.Escape(child)}");
    }

    private StringBuilder Describe(SafeFileHandle directory, ReadOnlySpan<byte> name, string shown, in FileStatus status)
    {
        var line = new StringBuilder(shown).Append(' ').Append(Word(status.Type));
        var isLink = status.IsSymbolicLink;
        if (_parts.HasFlag(SnapshotParts.Mode) && !isLink) line.Append(' ').Append(Convert.ToString(status.Permissions, 8).PadLeft(4, '0'));
        if (_parts.HasFlag(SnapshotParts.Owner)) line.Append(CultureInfo.InvariantCulture, $" {status.UserId}:{status.GroupId}");
        if (status.IsRegular) line.Append(CultureInfo.InvariantCulture, $" {status.Size}");
        if (isLink) line.Append(" -> ").Append(PathText.Escape(Libc.ReadlinkAt(directory, name)));
        if (status.Type is FileType.CharacterDevice or FileType.BlockDevice)
        {
            line.Append(CultureInfo.InvariantCulture, $" {status.Device.Major},{status.Device.Minor}");
        }
        if (_parts.HasFlag(status.IsDirectory ? SnapshotParts.DirectoryTimes : SnapshotParts.Times))
        {
            line.Append(CultureInfo.InvariantCulture, $" mtime={status.ModifyTime.Seconds}.{status.ModifyTime.Nanoseconds:D9}");
        }
        if (_parts.HasFlag(SnapshotParts.AccessTimes) && !isLink)
        {
            line.Append(CultureInfo.InvariantCulture, $" atime={status.AccessTime.Seconds}.{status.AccessTime.Nanoseconds:D9}");
        }
        if (_parts.HasFlag(SnapshotParts.Content) && status.IsRegular) line.Append(" sha256=").Append(Hash(directory, name));
        if (_parts.HasFlag(SnapshotParts.Xattrs)) AppendXattrs(line, directory, name);
        return line;
    }

    private void AppendXattrs(StringBuilder line, SafeFileHandle directory, ReadOnlySpan<byte> name)
    {
        var shown = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var attribute in Libc.ListXattrAt(directory, name))
        {
            var text = PathText.Escape(attribute);
            if (_shows(text)) shown[text] = PathText.Escape(Libc.GetXattrAt(directory, name, attribute) ?? []);
        }
        foreach (var (attribute, value) in shown) line.Append(' ').Append(attribute).Append("=\"").Append(value).Append('"');
    }

    /// <summary>Names the other names of a file, which are known only now.</summary>
    private void Finish()
    {
        var names = _found.Where(entry => entry.Status is { IsDirectory: false, Links: > 1 })
            .ToLookup(entry => (entry.Status.FileSystem, entry.Status.Inode), entry => entry.Name);
        Lines = _found.Select(entry =>
        {
            if (!_parts.HasFlag(SnapshotParts.HardLinks) || entry.Status.IsDirectory) return entry.Line.ToString();
            var others = names[(entry.Status.FileSystem, entry.Status.Inode)].Where(name => name != entry.Name).ToList();
            return others.Count == 0 ? entry.Line.ToString() : $"{entry.Line} links={string.Join(',', others)}";
        }).ToList();
    }

    private static string Hash(SafeFileHandle directory, ReadOnlySpan<byte> name)
    {
        using var file = OpenQuietly(directory, name, OpenFlags.NoFollow);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[64 * 1024];
        for (int count; (count = Libc.Read(file, buffer)) > 0;) hash.AppendData(buffer, 0, count);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Looking changes no time of access, where the one who looks may say so.</summary>
    private static SafeFileHandle OpenQuietly(SafeFileHandle directory, ReadOnlySpan<byte> name, OpenFlags flags) =>
        Libc.TryOpenAt(directory, name, flags | OpenFlags.NoAccessTime, 0, out var file) == Errno.None ? file : Libc.OpenAt(directory, name, flags);

    private static string Word(FileType type) => type switch
    {
        FileType.Regular => "file",
        FileType.Directory => "dir",
        FileType.SymbolicLink => "link",
        FileType.CharacterDevice => "char",
        FileType.BlockDevice => "block",
        FileType.Fifo => "fifo",
        FileType.Socket => "socket",
        _ => "unknown",
    };
}
