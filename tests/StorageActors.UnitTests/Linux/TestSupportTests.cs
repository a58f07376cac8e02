using StorageActors.Linux;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.UnitTests.Linux;

/// <summary>The tools of the tests themselves: they must not pass when something is wrong.</summary>
public sealed class TestSupportTests
{
    [SkippableTheory]
    [InlineData(FileSystemKind.Ext4, (long)FsMagic.Ext)]
    [InlineData(FileSystemKind.Xfs, (long)FsMagic.Xfs)]
    [InlineData(FileSystemKind.Btrfs, (long)FsMagic.Btrfs)]
    public void A_loop_file_system_is_what_it_says_and_leaves_nothing(FileSystemKind kind, long magic)
    {
        string root;
        using (var made = LoopFileSystem.Create(kind))
        {
            root = made.Root;
            Assert.Equal((FsMagic)magic, Libc.StatFs(root).Type);
            Assert.True(Libc.Stat(root).IsMountRoot);
            using var directory = made.NewDirectory();
            Libc.MkdirAt(directory.Handle, "a"u8, 0x1ED);
        }
        Assert.Equal(Errno.ENOENT, Libc.TryStat(Path.GetDirectoryName(root)!, out _));
        Assert.DoesNotContain(MountTable.Read(), mount => mount.Target == root);
    }

    [SkippableFact]
    public void A_loop_file_system_reports_a_descriptor_that_was_left()
    {
        var made = LoopFileSystem.Create(FileSystemKind.Ext4);
        using var left = Libc.OpenDirectory(made.Root);
        var error = Assert.Throws<InvalidOperationException>(made.Dispose);
        Assert.Contains("still uses", error.Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void A_temporary_directory_reports_a_mount_that_was_left_and_takes_it_away()
    {
        RequiredTiers.SkipUnlessRoot();
        var temp = new TempDirectory();
        var target = temp["mnt"];
        Libc.Mkdir(target, 0x1C0);
        Libc.Mount("tmpfs", target, "tmpfs", MountFlags.None);
        var error = Assert.Throws<InvalidOperationException>(temp.Dispose);
        Assert.Contains(target, error.Message, StringComparison.Ordinal);
        Assert.Equal(Errno.ENOENT, Libc.TryStat(temp.Path, out _));
    }

    [Fact]
    public void A_snapshot_shows_each_attribute_of_a_tree()
    {
        using var temp = new TempDirectory();
        var time = new TimeSpec(1_700_000_000, 5);
        using (var file = Libc.OpenAt(temp.Handle, [(byte)'f', 0xFF], OpenFlags.WriteOnly | OpenFlags.Create, 0x1A4))
        {
            Libc.WriteAll(file, "abc"u8);
            Libc.FChmod(file, 0x9ED);
            Libc.FSetXattr(file, "user.a"u8, "1\n"u8);
            Libc.FUtimens(file, time, time);
        }
        Libc.LinkAt(temp.Handle, [(byte)'f', 0xFF], temp.Handle, "g"u8);
        Libc.SymlinkAt("../x"u8, temp.Handle, "l"u8);

        var snapshot = TreeSnapshot.Capture(temp.Path, SnapshotParts.All & ~(SnapshotParts.Owner | SnapshotParts.DirectoryTimes));
        const string rest = "file 4755 3 mtime=1700000000.000000005"
            + " sha256=ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad user.a=\"1\\x0a\" links=";
        Assert.Equal(". dir 0700", snapshot.Lines[0]);
        Assert.Equal($"./f\\xff {rest}./g", snapshot.Lines[1]);
        Assert.Equal($"./g {rest}./f\\xff", snapshot.Lines[2]);
        Assert.StartsWith("./l link -> ../x mtime=", snapshot.Lines[3], StringComparison.Ordinal);
        Assert.Equal(4, snapshot.Lines.Count);
    }
}
