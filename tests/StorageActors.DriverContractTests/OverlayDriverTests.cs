using System.Text;
using StorageActors.DriverContractTests.Harness;
using StorageActors.Drivers;
using StorageActors.Drivers.Mounting;
using StorageActors.Drivers.Overlay;
using StorageActors.Linux;
using StorageActors.Protocol;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.DriverContractTests;

/// <summary>What is the overlay driver's own: its files on disk, its options, and what it refuses.</summary>
public sealed partial class OverlayDriverTests
{
    [SkippableFact]
    public void Directories_and_files_of_a_layer_are_those_of_the_peers()
    {
        using var store = NewStore();
        using var driver = Open(store);
        driver.Create("base", parent: null).Write("a", "1");
        driver.Create("middle", parent: "base").Write("b", "1");
        driver.CreateWritable("top", parent: "middle").Commit();
        string Link(string layer) => File.ReadAllText($"{driver.Home}/{layer}/link");
        Assert.Equal(["diff", "empty", "link", "merged", "tar-split.json.gz", "work"], EntriesOf($"{driver.Home}/base"));
        Assert.Equal(["diff", "link", "lower", "lower-layers", "merged", "work"], EntriesOf($"{driver.Home}/top"));
        Assert.Equal($"l/{Link("middle")}:l/{Link("base")}", File.ReadAllText($"{driver.Home}/top/lower"));
        Assert.Equal("middle:base", File.ReadAllText($"{driver.Home}/top/lower-layers"));
        foreach (var layer in (string[])["base", "middle", "top"])
        {
            Assert.Matches("^[A-Z2-7]{26}$", Link(layer));
            Assert.Equal($"../{layer}/diff", new FileInfo($"{driver.Home}/l/{Link(layer)}").LinkTarget);
        }

        Assert.Equal(3, Directory.GetFileSystemEntries($"{driver.Home}/l").Length);
        Assert.All((string[])["work", "merged"], name => Assert.Equal(0x1C0u, Libc.Stat($"{driver.Home}/top/{name}").Permissions));
        Assert.Equal(0x1C0u, Libc.Stat(driver.Home).Permissions);
    }

    [SkippableTheory]
    [InlineData("added", "/dir/added")]
    [InlineData("whiteout", "/below/b")]
    [InlineData("no whiteout", "/below/a")]
    [InlineData("opaque", "/below")]
    [InlineData("not opaque", "/again")]
    public void Verification_finds_what_is_there_besides_the_tar_and_what_hides_something_or_does_not(string damage, string hit)
    {
        using var store = NewStore();
        using var driver = Open(store);
        driver.Create("base", parent: null).Write("below/a", "1").Write("below/b", "1").Write("again/old", "1");
        driver.Create("top", parent: "base").Directory("dir").Write("dir/file", "1").Remove("below/a").Remove("below/never").Remove("again").Write("again/new", "1").Write("below/c", "1");
        driver.Commit();
        var (layer, parents) = (driver.Locate("top"), driver.Parents(driver["top"]));
        IReadOnlyList<string> Verify() => driver.Driver.Verify(layer, parents, full: false, CancellationToken.None);
        Assert.Empty(Verify());

        driver.IsHarmed = true;
        var content = driver.Locate("top").Path + "/diff";
        using var root = Libc.OpenDirectory(content);
        using var below = Libc.OpenDirectory(content + "/below");
        var format = new Archive.Apply.OverlayWhiteouts(escapes: true);
        switch (damage)
        {
            case "added": File.WriteAllText(content + "/dir/added", "1"); break;
            case "whiteout": format.WriteWhiteout(below, "b"u8); break;
            case "no whiteout": Libc.UnlinkAt(below, "a"u8); break;
            case "opaque": format.MarkOpaque(root, "below"u8); break;
            default: Libc.RemoveXattrAt(root, "again"u8, "trusted.overlay.opaque"u8); break;
        }

        Assert.Contains(Verify(), line => line.StartsWith(hit + ":", StringComparison.Ordinal));
    }

    [SkippableTheory]
    [InlineData("Descriptors")]
    [InlineData("Names")]
    [InlineData("OptionString")]
    public void Every_mount_states_the_options_that_decide_what_an_upper_directory_holds(string method)
    {
        using var store = NewStore();
        using var driver = Open(store, Enum.Parse<OverlayMethod>(method));
        driver.Create("base", parent: null).Write("dir/a", "1");
        driver.CreateWritable("rw", parent: "base");
        using (var mount = driver.Mounted("rw", MountMode.ReadWrite))
        {
            var options = Assert.Single(MountTable.ReadBelow(store.Path)).SuperOptions.Split(',');
            Assert.DoesNotContain(options, option => option is "redirect_dir=on" or "metacopy=on" or "index=on" or "xino=on" or "nfs_export=on");
            // With redirects on, the kernel would rename the directory and the upper directory would hold a reference instead of content.
            var error = Assert.Throws<LinuxException>(() => Rename(mount.Path, "dir", "moved"));
            Assert.Equal(Errno.EXDEV, error.Errno);
            File.SetUnixFileMode(mount.Path + "/dir/a", UnixFileMode.UserRead);
        }

        Assert.Equal("1", File.ReadAllText($"{driver.Home}/rw/diff/dir/a"));
    }

    [SkippableFact]
    public void Mount_that_the_kernel_made_read_only_is_an_error_and_leaves_no_mount()
    {
        using var store = NewStore();
        using var driver = Open(store);
        var layer = driver.CreateWritable("rw", parent: null).Commit();
        using var work = Libc.OpenDirectory(driver.Locate(layer).Path + "/work");
        Assert.Equal(Errno.None, Libc.TryGetInodeFlags(work, out var flags));
        Assert.Equal(Errno.None, Libc.TrySetInodeFlags(work, flags | InodeFlags.Immutable));
        try
        {
            foreach (var method in Enum.GetValues<OverlayMethod>())
            {
                using var other = DriverFactory.Open(null, store.Path, new DriverOptions { OverlayMethod = method });
                var error = Assert.Throws<PermanentDriverException>(() => other.Mount(driver.Request(layer, MountMode.ReadWrite))).Error;
                Assert.Equal("EROFS", error.Errno);
                Assert.Contains("/work", error.Message, StringComparison.Ordinal);
                Assert.Empty(MountTable.ReadBelow(store.Path));
            }
        }
        finally
        {
            Libc.TrySetInodeFlags(work, flags);
        }
    }

    /// <summary>As on a full disk: a mount point is made anew where a mount was, and none was there.</summary>
    [SkippableFact]
    public void Layer_whose_directory_takes_no_new_name_can_be_retired_and_leaves_no_link()
    {
        using var store = NewStore();
        using var driver = Open(store);
        var layer = driver.CreateWritable("rw", parent: null).Commit();
        using var directory = Libc.OpenDirectory(driver.Locate(layer).Path);
        Assert.Equal(Errno.None, Libc.TryGetInodeFlags(directory, out var flags));
        Assert.Equal(Errno.None, Libc.TrySetInodeFlags(directory, flags | InodeFlags.Immutable));
        try
        {
            Assert.Single(Directory.EnumerateFileSystemEntries($"{driver.Home}/l"));
            driver.Driver.Retire(driver.Locate(layer));
            Assert.Empty(Directory.EnumerateFileSystemEntries($"{driver.Home}/l"));
        }
        finally
        {
            Libc.TrySetInodeFlags(directory, flags);
        }
    }

    [SkippableFact]
    public void Failed_mount_carries_the_kernels_own_words()
    {
        using var store = NewStore();
        using var tree = new StoreTree(store.Path);
        var lowers = Enumerable.Range(0, 501).Select(number => store[$"layer{number}"]).ToList();
        foreach (var lower in lowers) Directory.CreateDirectory(lower);
        var failure = Assert.Throws<LinuxException>(() => new DescriptorMounter(tree, []).View(new OverlayStack(lowers, null, null, MountWords.None)));
        Assert.Equal(Errno.EINVAL, failure.Errno);
        Assert.Contains("too many lower directories, limit is 500", DriverErrors.Translate(failure, "mount", store.Path)!.Error.Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void Layer_that_was_mounted_with_redirects_is_compared_instead_of_read()
    {
        using var store = NewStore();
        using var driver = Open(store);
        driver.Create("base", parent: null).Write("dir/a", "content").Write("file", "content");
        driver.CreateWritable("rw", parent: "base").Commit();
        var step = Assert.Single(driver.Driver.Describe(driver.Request(driver["rw"], MountMode.ReadWrite)));
        var options = step.Options.Where(option => !option.StartsWith("redirect_dir=", StringComparison.Ordinal) && !option.StartsWith("metacopy=", StringComparison.Ordinal));
        using var target = new TempDirectory(store.Path);
        Command.Run("mount", "-t", "overlay", "overlay", target.Path, "-o", string.Join(',', [.. options, "redirect_dir=on", "metacopy=on"]));
        Rename(target.Path, "dir", "moved");
        File.SetUnixFileMode(target["file"], UnixFileMode.UserRead);
        TempDirectory.Unmount(target.Path);

        Assert.Equal(["D /dir", "C /file", "A /moved", "A /moved/a"], driver.Changes("rw"));
        driver.CreateFrom("again", parent: "base", driver.Diff("rw"));
        Assert.Equal(["file", "moved/", "moved/a"], driver.NamesOf("again"));
        Assert.Equal("content", driver.ContentOf("again", "moved/a"));
        Assert.Equal("content", driver.ContentOf("again", "file"));
        Assert.Equal(StorageErrorCode.Unsupported, Assert.Throws<PermanentDriverException>(() => driver.Seal("rw")).Error.Code);
        Assert.Empty(MountTable.ReadBelow(store.Path));
    }

    [SkippableFact]
    public void Option_string_that_is_too_long_is_refused_before_the_call()
    {
        using var store = NewStore();
        using var driver = Open(store, OverlayMethod.OptionString);
        var ids = Enumerable.Range(0, 150).Select(_ => LayerId.New().Value).ToList();
        for (var i = 0; i < ids.Count; i++) driver.Create(ids[i], i == 0 ? null : ids[i - 1]);
        driver.Commit();
        var error = Assert.Throws<PermanentDriverException>(() => driver.Mount(driver[ids[149]], MountMode.ReadOnly)).Error;
        Assert.Equal((StorageErrorCode.LimitExceeded, "E2BIG"), (error.Code, error.Errno));
        Assert.Contains("150 layers", error.Message, StringComparison.Ordinal);
        Assert.Empty(MountTable.ReadBelow(store.Path));
        using var fitting = driver.Mounted(ids[100], MountMode.ReadOnly);
    }

    [SkippableFact]
    public void Store_on_an_overlay_is_refused_with_what_to_do()
    {
        using var store = NewStore();
        using var driver = Open(store);
        driver.CreateWritable("rw", parent: null);
        using var mount = driver.Mounted("rw", MountMode.ReadWrite);
        Directory.CreateDirectory(mount.Path + "/nested");
        var error = Assert.Throws<PermanentDriverException>(() => DriverFactory.Open("overlay", mount.Path + "/nested", new DriverOptions())).Error;
        Assert.Equal(StorageErrorCode.Unsupported, error.Code);
        Assert.Contains("volume", error.Message, StringComparison.Ordinal);
        Assert.Contains("vfs", error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(mount.Path + "/nested"));
    }

    [SkippableFact]
    public void Mount_of_somebody_else_in_the_mount_point_is_left_alone()
    {
        using var store = NewStore();
        using var driver = Open(store);
        var layer = driver.CreateWritable("rw", parent: null).Commit();
        var point = driver.Locate(layer).Path + "/merged";
        Libc.Mount("tmpfs", point, "tmpfs", MountFlags.None);
        try
        {
            Action[] actions = [() => driver.Mount(layer, MountMode.ReadWrite), () => driver.Driver.Unmount(driver.Locate(layer), force: true)];
            foreach (var action in actions)
            {
                var error = Assert.Throws<PermanentDriverException>(action).Error;
                Assert.Equal(StorageErrorCode.InUse, error.Code);
                Assert.Contains("tmpfs", error.Message, StringComparison.Ordinal);
            }

            Assert.Single(MountTable.ReadBelow(point));
        }
        finally
        {
            TempDirectory.Unmount(point);
        }
    }

    [Fact]
    public void A_shortage_or_a_failing_disk_is_no_word_on_whether_a_layer_is_in_use()
    {
        Assert.All((Errno[])[Errno.EBUSY, Errno.EINVAL, Errno.ENOENT], static errno => Assert.True(ContextMounter.SaysWhetherInUse(errno)));
        Errno[] shortages = [Errno.EMFILE, Errno.ENFILE, Errno.ENOMEM, Errno.EINTR, Errno.EAGAIN, Errno.EIO, Errno.ENOSPC, Errno.EPERM, Errno.EACCES, Errno.ESTALE];
        Assert.All(shortages, static errno => Assert.False(ContextMounter.SaysWhetherInUse(errno)));
    }

    [SkippableTheory]
    [InlineData("Descriptors")]
    [InlineData("Names")]
    [InlineData("OptionString")]
    public void Layer_that_was_unmounted_by_force_is_not_written_to_by_a_second_mount_while_its_users_live(string method)
    {
        using var store = NewStore();
        using var driver = Open(store, Enum.Parse<OverlayMethod>(method));
        driver.Create("base", parent: null).Write("a", "1");
        var layer = driver.CreateWritable("rw", parent: "base").Commit();
        using (var held = File.Create(driver.Mount(layer, MountMode.ReadWrite).Path + "/held"))
        {
            driver.Driver.Unmount(driver.Locate(layer), force: true);
            var error = Assert.Throws<TransientDriverException>(() => driver.Driver.Mount(driver.Request(layer, MountMode.ReadWrite))).Error;
            Assert.Equal((StorageErrorCode.InUse, "EBUSY"), (error.Code, error.Errno));
            Assert.Contains("unmounted by force", error.Message, StringComparison.Ordinal);
            Assert.Equal(StorageErrorCode.InUse, Assert.Throws<TransientDriverException>(() => driver.Seal("rw")).Error.Code);
            Assert.Empty(MountTable.ReadBelow(store.Path));

            // To look at it is harmless, and so is a mount of another layer.
            Assert.Contains("held", driver.FilesOf("rw"));
            driver.CreateWritable("other", parent: "base").Write("b", "1").Commit();
            held.WriteByte(1);
        }

        using var mount = driver.Mounted("rw", MountMode.ReadWrite);
        Assert.Equal(1, new FileInfo(mount.Path + "/held").Length);
        Assert.False(File.Exists(driver.Locate(layer).Path + "/detached"));
    }

    [SkippableFact]
    public void Short_link_that_was_lost_is_made_again_when_it_is_needed()
    {
        using var store = NewStore();
        using var driver = Open(store, OverlayMethod.OptionString);
        driver.Create("base", parent: null).Write("a", "1");
        driver.Create("top", parent: "base").Write("b", "1").Commit();
        foreach (var link in Directory.GetFileSystemEntries(driver.Home + "/l")) File.Delete(link);
        File.WriteAllText(driver.Home + "/base/link", "");
        Assert.Equal(["a", "b"], driver.FilesOf("top"));
        driver.Create("over", parent: "top").Write("c", "1");
        Assert.Equal(["a", "b", "c"], driver.FilesOf("over"));
    }

    [SkippableFact]
    public void Driver_is_chosen_by_name_then_by_the_layers_that_are_there()
    {
        using var store = NewStore();
        using (var driver = DriverFactory.Open(null, store.Path, new DriverOptions())) Assert.Contains("works here", Chosen(driver), StringComparison.Ordinal);
        using (var driver = DriverFactory.Open("overlay2", store.Path, new DriverOptions())) Assert.Equal("overlay", driver.Name);
        using (var driver = Open(store)) driver.Create("base", parent: null).Commit();
        using (var driver = DriverFactory.Open(null, store.Path, new DriverOptions())) Assert.Contains("its layers are here", Chosen(driver), StringComparison.Ordinal);
        var error = Assert.Throws<PermanentDriverException>(() => DriverFactory.Open("zfs", store.Path, new DriverOptions())).Error;
        Assert.Equal(StorageErrorCode.InvalidArgument, error.Code);
        Assert.Contains("overlay", error.Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void Words_of_the_settings_apply_to_every_mount()
    {
        using var store = NewStore();
        using var driver = new DriverUnderTest(
            store.Path, (root, options) => DriverFactory.Open("overlay", root, options with { MountOptions = ["nodev", "noatime"] }), 500);
        driver.CreateWritable("rw", parent: null);
        using (driver.Mounted("rw", MountMode.ReadWrite, "nosuid"))
        {
            var options = Assert.Single(MountTable.ReadBelow(store.Path)).Options.Split(',');
            Assert.Superset(new HashSet<string> { "nodev", "noatime", "nosuid" }, options.ToHashSet());
        }

        Assert.Throws<PermanentDriverException>(() => DriverFactory.Open("overlay", store.Path, new DriverOptions { MountOptions = ["lowerdir=/"] }));
    }

    [SkippableFact]
    public void Described_mount_of_a_deep_stack_fits_a_page_for_a_client_that_goes_to_the_links()
    {
        using var store = NewStore();
        using var driver = Open(store);
        string? parent = null;
        for (var i = 0; i < 128; i++)
        {
            var id = LayerId.New().Value;
            driver.Create(id, parent);
            parent = id;
        }

        driver.CreateWritable("rw", parent);
        driver.Commit();
        var step = Assert.Single(driver.Driver.Describe(driver.Request(driver["rw"], MountMode.ReadWrite)));
        var lower = step.Options.Single(option => option.StartsWith("lowerdir=", StringComparison.Ordinal))["lowerdir=".Length..].Split(':');
        Assert.Equal(128, lower.Length);
        Assert.All(lower, path => Assert.StartsWith(driver.Home + "/l/", path, StringComparison.Ordinal));
        Assert.True(lower.Sum(path => path.Length - driver.Home.Length - "/l/".Length + 1) < 3600);
        Assert.Equal($"upperdir={driver.Home}/rw/diff", step.Options.Single(option => option.StartsWith("upperdir=", StringComparison.Ordinal)));
        Assert.Contains("index=off", step.Options);
    }

    private static TempDirectory NewStore()
    {
        RequiredTiers.SkipUnlessRoot();
        return LoopFileSystem.Shared(FileSystemKind.Ext4).NewDirectory();
    }

    private static DriverUnderTest Open(TempDirectory store, OverlayMethod? method = null) =>
        new(store.Path, (root, options) => DriverFactory.Open("overlay", root, options with { OverlayMethod = method }), 500);

    private static string Chosen(ILayerDriver driver) => driver.Facts.Single(fact => fact is { Group: "driver", Name: "name" }).Value;

    private static IEnumerable<string?> EntriesOf(string path) => Directory.GetFileSystemEntries(path).Select(Path.GetFileName).Order(StringComparer.Ordinal);

    private static void Rename(string root, string from, string to)
    {
        using var directory = Libc.OpenDirectory(root);
        Libc.RenameAt2(directory, Encoding.ASCII.GetBytes(from), directory, Encoding.ASCII.GetBytes(to));
    }
}
