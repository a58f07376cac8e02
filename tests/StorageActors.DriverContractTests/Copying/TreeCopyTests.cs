using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.Win32.SafeHandles;
using StorageActors.Drivers.Copying;
using StorageActors.Linux;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.DriverContractTests.Copying;

/// <summary>A copy of a tree is that tree, attribute by attribute.</summary>
public sealed class TreeCopyTests
{
    private const SnapshotParts Everything = SnapshotParts.All | SnapshotParts.AccessTimes;

    [SkippableTheory]
    [InlineData(FileSystemKind.Ext4, FileSystemKind.Ext4)]
    [InlineData(FileSystemKind.Xfs, FileSystemKind.Xfs)]
    [InlineData(FileSystemKind.Btrfs, FileSystemKind.Btrfs)]
    [InlineData(FileSystemKind.Xfs, FileSystemKind.Ext4)]
    [InlineData(FileSystemKind.Ext4, FileSystemKind.Btrfs)]
    public void Copy_of_a_random_tree_is_that_tree(FileSystemKind from, FileSystemKind to)
    {
        RequiredTiers.SkipUnlessRoot();
        var (source, target) = (LoopFileSystem.Shared(from), LoopFileSystem.Shared(to));
        var config = Config.QuickThrowOnFailure.WithReplay((ulong)Seeds.Or(1), 1).WithMaxTest(12).WithStartSize(5).WithEndSize(120);
        Prop.ForAll(ArbMap.Default.ArbFor<int[]>(), numbers => Check(source, target, numbers)).Check(config);
    }

    [SkippableFact]
    public void Tree_of_any_depth_is_copied_with_few_descriptors_and_links_across_it()
    {
        RequiredTiers.SkipUnlessRoot();
        using var home = LoopFileSystem.Shared(FileSystemKind.Ext4).NewDirectory();
        Libc.Mkdir(home["source"], 0x1C0);
        Libc.Mkdir(home["copy"], 0x1C0);
        const int depth = 6000;
        using (var top = Libc.OpenDirectory(home["source"]))
        {
            Libc.OpenAt(top, "first"u8, OpenFlags.WriteOnly | OpenFlags.Create, 0x1A4).Dispose();
            var at = Libc.OpenAt(top, "."u8, OpenFlags.Directory);
            for (var level = 0; level < depth; level++)
            {
                Libc.MkdirAt(at, "d"u8, 0x1ED);
                if (level % 1000 == 999) Libc.LinkAt(top, "first"u8, at, "linked"u8);
                // In the order of the names this one is met first where it is deepest.
                if (level == depth - 1) Libc.OpenAt(at, "deepest"u8, OpenFlags.WriteOnly | OpenFlags.Create, 0x1A4).Dispose();
                if (level == depth - 1) Libc.LinkAt(at, "deepest"u8, top, "deepest"u8);
                var next = Libc.OpenDirectoryAt(at, "d"u8);
                at.Dispose();
                at = next;
            }

            at.Dispose();
        }

        using var source = Libc.OpenDirectory(home["source"]);
        using var target = Libc.OpenDirectory(home["copy"]);
        using var team = new CopyTeam(target, threads: 1, calls: null, CancellationToken.None) { ExactOwners = true };
        using var copier = new TreeCopier(team, exactModes: false);
        team.Give(new CopyDirectory([], Libc.OpenDirectoryAt(source, "."u8), Libc.OpenDirectoryAt(target, "."u8), Above: null));
        copier.Run();
        var report = team.Finish();
        Assert.Equal((depth + 1, 2, 7), (report.Directories, report.Files, report.Links));
        Assert.InRange(copier.MostOpen, 1, 64);
        Assert.Equal(7u, Libc.FStatAt(target, "first"u8).Links);
        Assert.Equal(2u, Libc.FStatAt(target, "deepest"u8).Links);
    }

    [SkippableFact]
    public void File_whose_other_name_lies_deeper_than_a_path_may_be_long_is_linked()
    {
        RequiredTiers.SkipUnlessRoot();
        using var home = LoopFileSystem.Shared(FileSystemKind.Ext4).NewDirectory();
        Libc.Mkdir(home["copy"], 0x1C0);
        using var root = Libc.OpenDirectory(home["copy"]);
        var name = Encoding.ASCII.GetBytes(new string('d', 250));
        var at = Libc.OpenAt(root, "."u8, OpenFlags.Directory);
        byte[] path = [];
        for (var level = 0; level < 40; level++)
        {
            Libc.MkdirAt(at, name, 0x1C0);
            var next = Libc.OpenDirectoryAt(at, name);
            at.Dispose();
            at = next;
            path = [.. path, .. name, (byte)'/'];
        }

        Libc.OpenAt(at, "file"u8, OpenFlags.WriteOnly | OpenFlags.Create, 0x1A4).Dispose();
        Libc.LinkAt(at, "file"u8, at, "again"u8);
        var status = Libc.FStatAt(at, "file"u8);
        var links = new LinkMap(root);
        Assert.False(links.TryLink(status, at, "file"u8, [.. path, .. "file"u8]));
        Assert.Equal(1, links.Count);
        Assert.True(links.TryLink(status, root, "link"u8, "link"u8));
        Assert.Equal(0, links.Count);
        Assert.Equal(status.Inode, Libc.FStatAt(root, "link"u8).Inode);
        at.Dispose();
    }

    [SkippableFact]
    public void Inherited_groups_and_lists_of_the_target_are_not_taken_for_the_sources()
    {
        RequiredTiers.SkipUnlessRoot();
        using var home = LoopFileSystem.Shared(FileSystemKind.Xfs).NewDirectory();
        Libc.Mkdir(home["source"], 0x1C0);
        RandomTree.Make(home["source"], Enumerable.Range(1, 60));
        Libc.FChownAt(home.Handle, "."u8, 0, 1234);
        Libc.SetXattrAt(home.Handle, "."u8, "system.posix_acl_default"u8, Convert.FromHexString("0200000001000700ffffffff04000500ffffffff20000500ffffffff"));
        Libc.FChmodAt(home.Handle, "."u8, 0x5FF);   // 2777
        AssertCopied(home);
    }

    [SkippableFact]
    public void What_the_target_cannot_keep_is_reported_and_the_rest_is_there()
    {
        RequiredTiers.SkipUnlessRoot();
        using var home = LoopFileSystem.Shared(FileSystemKind.Btrfs).NewDirectory();
        Libc.Mkdir(home["source"], 0x1C0);
        Libc.Mkdir(home["copy"], 0x1C0);
        RandomTree.Make(home["source"], Enumerable.Range(1, 60));
        Libc.SetXattrAt(home.Handle, "source"u8, "user.kept-nowhere"u8, "1"u8);
        Command.Run("mount", "-t", "ramfs", "ramfs", home["copy"]);   // it has no attributes, and shares no blocks with anybody
        try
        {
            var report = Copy(home);
            Assert.Contains(report.Dropped, line => line.StartsWith("the attribute user.kept-nowhere is not copied", StringComparison.Ordinal));
            Assert.Equal(0, report.Shared);
            const SnapshotParts parts = Everything & ~SnapshotParts.Xattrs;
            AssertSame(home["source"], home["copy"], parts);
        }
        finally
        {
            TempDirectory.Unmount(home["copy"]);
        }
    }

    [SkippableTheory]
    [InlineData(FileSystemKind.Xfs)]
    [InlineData(FileSystemKind.Btrfs)]
    public void Blocks_are_shared_where_the_file_system_can(FileSystemKind kind)
    {
        RequiredTiers.SkipUnlessRoot();
        using var home = LoopFileSystem.Shared(kind).NewDirectory();
        Libc.Mkdir(home["source"], 0x1C0);
        for (var i = 0; i < 5; i++) File.WriteAllBytes(home[$"source/{i}"], new byte[100_000]);
        Libc.Mkdir(home["copy"], 0x1C0);
        Assert.Equal((5, 5, 500_000), (Copy(home).Shared, Copy(home, "copy2").Files, Copy(home, "copy3").Bytes));
    }

    [SkippableFact]
    public void Many_threads_copy_a_wide_tree_with_large_files_and_links_across_it()
    {
        RequiredTiers.SkipUnlessRoot();
        using var home = LoopFileSystem.Shared(FileSystemKind.Ext4).NewDirectory();
        Libc.Mkdir(home["source"], 0x1C0);
        var content = new byte[20 << 20];
        new Random(1).NextBytes(content);
        for (var i = 0; i < 40; i++)
        {
            Directory.CreateDirectory(home[$"source/{i % 7}/{i}/deep"]);
            for (var j = 0; j < 20; j++) File.WriteAllText(home[$"source/{i % 7}/{i}/deep/{j}"], $"{i} {j}");
            if (i % 10 == 0) File.WriteAllBytes(home[$"source/{i % 7}/{i}/large"], content);
            Command.Run("ln", i == 0 ? home["source/0/0/large"] : home["source/link0"], home[$"source/link{i}"]);
            Command.Run("ln", home["source/link0"], home[$"source/{i % 7}/{i}/deep/link"]);
        }

        RandomTree.Make(home["source"], Enumerable.Range(1, 80));
        AssertCopied(home, threads: 8);
    }

    [SkippableFact]
    public void Failure_of_one_thread_ends_all_and_is_the_one_that_is_told()
    {
        RequiredTiers.SkipUnlessRoot();
        using var home = LoopFileSystem.Shared(FileSystemKind.Ext4).NewDirectory();
        for (var i = 0; i < 200; i++)
        {
            Directory.CreateDirectory(home[$"source/{i}"]);
            File.WriteAllText(home[$"source/{i}/file"], "x");
        }

        Libc.Mkdir(home["copy"], 0x1C0);
        using var source = Libc.OpenDirectory(home["source"]);
        using var target = Libc.OpenDirectory(home["copy"]);
        var error = Assert.Throws<LinuxException>(() => TreeCopy.Copy(source, target, threads: 4, calls: new Full(), stop: CancellationToken.None));
        Assert.Equal(Errno.ENOSPC, error.Errno);
        var open = Directory.GetFiles("/proc/self/fd").Select(link => new FileInfo(link).LinkTarget ?? "");
        Assert.DoesNotContain(open, path => path.StartsWith(home["source/"], StringComparison.Ordinal) || path.StartsWith(home["copy/"], StringComparison.Ordinal));
    }

    [SkippableFact]
    public void Mount_inside_the_source_is_refused_by_its_path()
    {
        RequiredTiers.SkipUnlessRoot();
        using var home = LoopFileSystem.Shared(FileSystemKind.Ext4).NewDirectory();
        Directory.CreateDirectory(home["source/inside/mount"]);
        Libc.Mkdir(home["copy"], 0x1C0);
        Command.Run("mount", "--bind", home["source"], home["source/inside/mount"]);
        try
        {
            var error = Assert.Throws<LinuxException>(() => Copy(home));
            Assert.Equal((Errno.EBUSY, home["source/inside/mount"]), (error.Errno, error.Path));
        }
        finally
        {
            TempDirectory.Unmount(home["source/inside/mount"]);
        }
    }

    [SkippableFact]
    public void Copy_can_be_stopped_and_leaves_no_descriptor()
    {
        RequiredTiers.SkipUnlessRoot();
        using var home = LoopFileSystem.Shared(FileSystemKind.Ext4).NewDirectory();
        Libc.Mkdir(home["source"], 0x1C0);
        Libc.Mkdir(home["copy"], 0x1C0);
        RandomTree.Make(home["source"], Enumerable.Range(1, 20));
        using var stop = new CancellationTokenSource();
        stop.Cancel();
        using (var source = Libc.OpenDirectory(home["source"]))
        using (var target = Libc.OpenDirectory(home["copy"])) Assert.Throws<OperationCanceledException>(() => TreeCopy.Copy(source, target, stop.Token));
        var open = Directory.GetFiles("/proc/self/fd").Select(link => new FileInfo(link).LinkTarget ?? "");
        Assert.DoesNotContain(open, path => path.StartsWith(home.Path + "/", StringComparison.Ordinal));
    }

    private static void Check(LoopFileSystem from, LoopFileSystem to, int[] numbers)
    {
        using var source = from.NewDirectory();
        using var target = to.NewDirectory();
        RandomTree.Make(source.Path, numbers);
        var report = TreeCopy.Copy(source.Handle, target.Handle, threads: 1 + (numbers.Length % 3));
        var count = AssertSame(source.Path, target.Path, Everything);
        Assert.Empty(report.Dropped);
        Assert.Equal(count, report.Directories + report.Files + report.Links + report.Others);
        AssertAsSparse(source.Path, target.Path);
    }

    private static int AssertSame(string source, string target, SnapshotParts parts)
    {
        // The label is the machine's, and xfs shows a list a second time in a form of its own.
        static bool IsTrees(string attribute) => !attribute.StartsWith("security.selinux", StringComparison.Ordinal) && !attribute.StartsWith("trusted.SGI_ACL_", StringComparison.Ordinal);
        var (expected, actual) = (TreeSnapshot.Capture(source, parts, IsTrees).Lines, TreeSnapshot.Capture(target, parts, IsTrees).Lines);
        Assert.True(expected.SequenceEqual(actual), $"missing:\n{string.Join('\n', expected.Except(actual))}\ntoo much:\n{string.Join('\n', actual.Except(expected))}");
        return expected.Count;
    }

    /// <summary>A copy takes as much as its source, but for what file systems need for themselves.</summary>
    private static void AssertAsSparse(string source, string target)
    {
        var (bytes, copied) = (Allocated(source), Allocated(target));
        Assert.InRange(copied, 0, (bytes * 2) + (1 << 20));
    }

    private static long Allocated(string path)
    {
        using var root = Libc.OpenDirectory(path);
        Libc.SyncFs(root);
        return Archive.Diff.UsageMeter.Measure(root).Bytes;
    }

    private static void AssertCopied(TempDirectory home, int? threads = null)
    {
        Libc.Mkdir(home["copy"], 0x1C0);
        Copy(home, threads: threads);
        AssertSame(home["source"], home["copy"], Everything);
    }

    private static CopyReport Copy(TempDirectory home, string name = "copy", int? threads = null)
    {
        Directory.CreateDirectory(home[name]);
        using var source = Libc.OpenDirectory(home["source"]);
        using var target = Libc.OpenDirectory(home[name]);
        return TreeCopy.Copy(source, target, threads: threads);
    }

    /// <summary>A disk that is full.</summary>
    private sealed class Full : CopyCalls
    {
        internal override Errno Clone(SafeFileHandle target, SafeFileHandle source) => Errno.ENOSPC;

        internal override Errno CopyRange(SafeFileHandle source, long sourceOffset, SafeFileHandle target, long targetOffset, long length, out long copied)
        {
            copied = 0;
            return Errno.ENOSPC;
        }
    }
}
