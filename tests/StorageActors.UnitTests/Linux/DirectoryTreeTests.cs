using System.Text;
using StorageActors.Linux;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.UnitTests.Linux;

/// <summary>Removal of trees that the base library cannot remove, and of none that it must not.</summary>
public sealed class DirectoryTreeTests : IDisposable
{
    private readonly TempDirectory _temp = new();

    public void Dispose() => _temp.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(32)]
    [InlineData(33)]
    [InlineData(34)]
    [InlineData(2000)]
    public void A_tree_is_removed_at_any_depth_with_few_descriptors(int depth)
    {
        Libc.MkdirAt(_temp.Handle, "tree"u8, 0x1C0);
        var current = Libc.OpenDirectoryAt(_temp.Handle, "tree"u8);
        for (var level = 0; level < depth; level++)
        {
            Libc.MknodAt(current, "file"u8, FileType.Regular, 0x180);
            Libc.MkdirAt(current, "zz-empty-sibling"u8, 0x1C0);
            Libc.MkdirAt(current, "a-directory-with-a-name"u8, 0x1C0);   // 2000 of them: ten times PATH_MAX
            var child = Libc.OpenDirectoryAt(current, "a-directory-with-a-name"u8);
            current.Dispose();
            current = child;
        }
        current.Dispose();

        using var removal = new TreeRemoval(_temp.Handle);
        removal.RemoveDirectory("tree"u8);
        Assert.InRange(removal.MostOpen, 1, 40);
        AssertEmpty();
    }

    [Fact]
    public void Ten_thousand_files_and_directories_are_removed()
    {
        Libc.MkdirAt(_temp.Handle, "tree"u8, 0x1C0);
        using (var tree = Libc.OpenDirectoryAt(_temp.Handle, "tree"u8))
        {
            for (var index = 0; index < 10_000; index++)
            {
                var name = Encoding.ASCII.GetBytes($"name-of-entry-{index}");
                if (index % 4 == 0) Libc.MkdirAt(tree, name, 0x1C0);
                else Libc.MknodAt(tree, name, FileType.Regular, 0x180);
            }
        }
        Assert.True(DirectoryTree.Remove(_temp.Handle, "tree"u8));
        AssertEmpty();
    }

    [Fact]
    public void A_removal_that_is_cancelled_leaves_what_it_has_not_come_to()
    {
        Libc.MkdirAt(_temp.Handle, "tree"u8, 0x1C0);
        using (var tree = Libc.OpenDirectoryAt(_temp.Handle, "tree"u8)) Libc.MknodAt(tree, "file"u8, FileType.Regular, 0x180);
        Assert.Throws<OperationCanceledException>(() => DirectoryTree.Remove(_temp.Handle, "tree"u8, new CancellationToken(canceled: true)));
        Assert.Equal(Errno.None, Libc.TryStat(_temp["tree/file"], out _));
    }

    [Fact]
    public void What_a_link_points_to_stays()
    {
        Libc.MkdirAt(_temp.Handle, "kept"u8, 0x1C0);
        Libc.MkdirAt(_temp.Handle, "tree"u8, 0x1C0);
        Libc.SymlinkAt("../kept"u8, _temp.Handle, "tree/link"u8);
        Libc.SymlinkAt("kept"u8, _temp.Handle, "link"u8);
        Assert.True(DirectoryTree.Remove(_temp.Handle, "tree"u8));
        Assert.True(DirectoryTree.Remove(_temp.Handle, "link"u8));
        Assert.True(Libc.FStatAt(_temp.Handle, "kept"u8).IsDirectory);
    }

    [Fact]
    public void Nothing_there_is_false_and_a_single_file_of_any_name_goes()
    {
        ReadOnlySpan<byte> odd = [0xFF, (byte)'\n'];
        Assert.False(DirectoryTree.Remove(_temp.Handle, odd));
        Libc.MknodAt(_temp.Handle, odd, FileType.Fifo, 0x180);
        Assert.True(DirectoryTree.Remove(_temp.Handle, odd));
        AssertEmpty();
    }

    [Fact]
    public void Clearing_keeps_the_directory()
    {
        Libc.MkdirAt(_temp.Handle, "tree"u8, 0x1C0);
        Libc.MkdirAt(_temp.Handle, "tree/sub"u8, 0x1C0);
        for (var index = 0; index < 5000; index++) Libc.MknodAt(_temp.Handle, Encoding.ASCII.GetBytes($"tree/{index}"), FileType.Regular, 0x180);
        using var tree = Libc.OpenAt(_temp.Handle, "tree"u8, OpenFlags.Path);
        DirectoryTree.Clear(tree);
        Assert.Equal([". ", "./tree "], TreeSnapshot.Capture(_temp.Path, SnapshotParts.None).Lines.Select(line => line.Replace("dir", "", StringComparison.Ordinal)));
    }

    [SkippableFact]
    public void A_mount_inside_is_refused_by_name_and_its_content_stays()
    {
        RequiredTiers.SkipUnlessRoot();
        Libc.MkdirAt(_temp.Handle, "tree"u8, 0x1C0);
        Libc.MkdirAt(_temp.Handle, "tree/mount"u8, 0x1C0);
        var target = _temp["tree/mount"];
        Libc.Mount(_temp.Path, target, null, MountFlags.Bind);   // the same file system: its device number tells nothing
        try
        {
            Libc.MknodAt(_temp.Handle, "precious"u8, FileType.Regular, 0x180);
            var error = Assert.Throws<LinuxException>(() => DirectoryTree.Remove(_temp.Handle, "tree"u8));
            Assert.Equal((Errno.EBUSY, target), (error.Errno, error.Path));
            Assert.True(Libc.FStatAt(_temp.Handle, "precious"u8).IsRegular);
        }
        finally
        {
            TempDirectory.Unmount(target);
        }
        Assert.True(DirectoryTree.Remove(_temp.Handle, "tree"u8));
    }

    [SkippableTheory]
    [InlineData(FileSystemKind.Ext4)]
    [InlineData(FileSystemKind.Xfs)]
    [InlineData(FileSystemKind.Btrfs)]
    public void Immutable_and_append_only_entries_go_too(FileSystemKind kind)
    {
        using var temp = LoopFileSystem.Shared(kind).NewDirectory();
        Libc.MkdirAt(temp.Handle, "tree"u8, 0x1C0);
        Libc.MkdirAt(temp.Handle, "tree/locked"u8, 0x1C0);
        Libc.MknodAt(temp.Handle, "tree/locked/file"u8, FileType.Regular, 0x180);
        Libc.MknodAt(temp.Handle, "tree/log"u8, FileType.Regular, 0x180);
        SetFlags(temp, "tree/locked/file"u8, InodeFlags.Immutable);
        SetFlags(temp, "tree/locked"u8, InodeFlags.Immutable);
        SetFlags(temp, "tree/log"u8, InodeFlags.AppendOnly);
        Assert.Equal(Errno.EPERM, Libc.TryUnlinkAt(temp.Handle, "tree/log"u8));
        Assert.True(DirectoryTree.Remove(temp.Handle, "tree"u8));
        Assert.Equal(Errno.ENOENT, Libc.TryFStatAt(temp.Handle, "tree"u8, out _));
    }

    [SkippableFact]
    public void A_subvolume_is_removed_like_a_directory()
    {
        using var temp = LoopFileSystem.Shared(FileSystemKind.Btrfs).NewDirectory();
        Libc.MkdirAt(temp.Handle, "tree"u8, 0x1C0);
        Command.Run(Tools.Require("btrfs"), "subvolume", "create", temp["tree/volume"]);
        Libc.MknodAt(temp.Handle, "tree/volume/file"u8, FileType.Regular, 0x180);
        Assert.True(DirectoryTree.Remove(temp.Handle, "tree"u8));
    }

    private static void SetFlags(TempDirectory temp, ReadOnlySpan<byte> name, InodeFlags flags)
    {
        using var file = Libc.OpenAt(temp.Handle, name, OpenFlags.ReadOnly);
        Assert.Equal(Errno.None, Libc.TryGetInodeFlags(file, out var before));
        Assert.Equal(Errno.None, Libc.TrySetInodeFlags(file, before | flags));
        Assert.Equal(Errno.None, Libc.TryGetInodeFlags(file, out var after));
        Assert.Equal(flags, after & flags);
    }

    private void AssertEmpty() => Assert.Single(TreeSnapshot.Capture(_temp.Path).Lines);
}
