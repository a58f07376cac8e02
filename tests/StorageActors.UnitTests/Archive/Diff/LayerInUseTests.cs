using Microsoft.Win32.SafeHandles;
using StorageActors.Archive.Apply;
using StorageActors.Archive.Diff;
using StorageActors.Archive.Tar;
using StorageActors.Linux;
using StorageActors.Protocol;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.UnitTests.Archive.Diff;

/// <summary>Changes of a layer to which somebody writes meanwhile: names go between one look and the next.</summary>
public sealed class LayerInUseTests : IDisposable
{
    private readonly TempDirectory _old = new();
    private readonly TempDirectory _now = new();

    public void Dispose()
    {
        _old.Dispose();
        _now.Dispose();
    }

    [Fact]
    public void What_goes_while_changes_are_listed_is_left_out()
    {
        Make(_now, "directory/file", "file", "stays");
        var format = new Meanwhile { OnName = name => { if (name.SequenceEqual("stays"u8)) Empty(_now); } };
        using var root = Libc.OpenDirectory(_now.Path);
        Assert.Equal(["/stays"], NativeChanges.List(root, format, EmptyLowerView.Instance).Select(static change => change.Path));
    }

    [Fact]
    public void What_goes_while_trees_are_compared_has_gone()
    {
        Make(_old, "attributes", "directory/file", "file", "stays");
        Make(_now, "attributes", "directory/file", "file", "new", "stays");
        foreach (var tree in new[] { _old, _now })
        {
            using var directory = Libc.OpenDirectory(tree.Path);
            Libc.SetXattrAt(directory, "attributes"u8, "user.look"u8, "here"u8);
            File.SetLastWriteTimeUtc(tree["attributes"], DateTime.UnixEpoch.AddSeconds(1.5)); // Only what looks the same is looked at closely.
        }

        var format = new Meanwhile { OnAttribute = () => { Empty(_now); File.Delete(_now["new"]); } };
        using var old = Libc.OpenDirectory(_old.Path);
        using var now = Libc.OpenDirectory(_now.Path);
        var changes = ChangeList.Of(new TreeComparison(format, CancellationToken.None).Compare(old, now));
        Assert.Equal(["/directory", "/file"], changes.Where(static change => change.Kind == ChangeKind.Deleted).Select(static change => change.Path));
        Assert.DoesNotContain(changes, static change => change.Path == "/new");
    }

    private static void Make(TempDirectory tree, params string[] files)
    {
        foreach (var file in files)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(tree[file])!);
            File.WriteAllText(tree[file], "content");
        }
    }

    private static void Empty(TempDirectory tree)
    {
        if (!File.Exists(tree["file"])) return;
        File.Delete(tree["file"]);
        Directory.Delete(tree["directory"], recursive: true);
    }

    /// <summary>Marks as overlay makes them, and somebody who acts while they are asked for.</summary>
    private sealed class Meanwhile : IWhiteoutFormat
    {
        private readonly IWhiteoutFormat _format = new OverlayWhiteouts(escapes: false);

        internal delegate void Seen(ReadOnlySpan<byte> name);

        internal Seen OnName { get; init; } = static _ => { };

        internal Action OnAttribute { get; init; } = static () => { };

        public bool InPlace => _format.InPlace;

        public bool WriteWhiteout(SafeFileHandle directory, ReadOnlySpan<byte> name) => _format.WriteWhiteout(directory, name);

        public void MarkOpaque(SafeFileHandle parent, ReadOnlySpan<byte> name) => _format.MarkOpaque(parent, name);

        public bool IsWhiteout(SafeFileHandle directory, ReadOnlySpan<byte> name, in FileStatus status) => _format.IsWhiteout(directory, name, status);

        public bool IsHousekeeping(ReadOnlySpan<byte> name)
        {
            OnName(name);
            return _format.IsHousekeeping(name);
        }

        public bool IsOpaque(SafeFileHandle parent, ReadOnlySpan<byte> name) => _format.IsOpaque(parent, name);

        public bool LiesElsewhere(ReadOnlySpan<byte> xattr) => _format.LiesElsewhere(xattr);

        public bool IsPrivate(ReadOnlySpan<byte> xattr) => _format.IsPrivate(xattr);

        public XattrRule OnExtract(ReadOnlySpan<byte> archived, ByteBuffer stored) => _format.OnExtract(archived, stored);

        public XattrRule OnArchive(ReadOnlySpan<byte> stored, ByteBuffer archived)
        {
            OnAttribute();
            return _format.OnArchive(stored, archived);
        }
    }
}
