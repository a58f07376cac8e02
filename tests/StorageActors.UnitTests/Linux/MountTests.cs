using System.Text;
using StorageActors.Linux;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.UnitTests.Linux;

/// <summary>Both mount interfaces, on tmpfs and overlay.</summary>
public sealed class MountTests : IDisposable
{
    private readonly TempDirectory _temp;

    public MountTests()
    {
        RequiredTiers.SkipUnlessRoot();
        _temp = new TempDirectory();
        foreach (var name in new[] { "target", "lower one", "lower:two", "upper", "work" }) Libc.Mkdir(_temp[name], 0x1ED);
    }

    private string Target => _temp["target"];

    public void Dispose() => _temp.Dispose();

    [SkippableFact]
    public void A_mount_is_known_by_its_root_and_unmounting_twice_says_it_was_not_there()
    {
        Assert.Equal(Errno.EINVAL, Libc.TryUmount2(Target));
        Libc.Mount("tmpfs", Target, "tmpfs", MountFlags.NoSuid | MountFlags.NoDevices, "size=1m,mode=0711"u8);
        var status = Libc.Stat(Target);
        Assert.True(status.KnowsMountRoot && status.IsMountRoot);
        Assert.Equal((0x1C9u, FsMagic.Tmpfs), (status.Permissions, Libc.StatFs(Target).Type));
        using (Libc.OpenDirectory(Target))
        {
            var error = Assert.Throws<LinuxException>(() => Libc.Umount2(Target));
            Assert.Equal($"umount2 \"{Target}\": EBUSY (Device or resource busy)", error.Message);
        }
        TempDirectory.Unmount(Target);
        Assert.Equal(Errno.EINVAL, Libc.TryUmount2(Target));
        Assert.Equal(Errno.ENOENT, Libc.TryUmount2(_temp["missing"]));
    }

    [SkippableFact]
    public void A_file_system_is_there_until_its_last_user_has_gone()
    {
        Skip.IfNot(Libc.IsFileSystemGone(new DeviceNumber(0, 0xFFFFF)), "the kernel does not say");   // a number that nobody comes to
        Libc.Mount("tmpfs", Target, "tmpfs", MountFlags.None, "size=1m"u8);
        var device = Libc.Stat(Target).FileSystem;
        Assert.False(Libc.IsFileSystemGone(device));
        using var root = Libc.OpenDirectory(Target);
        Libc.Umount2(Target, UnmountFlags.Detach);
        Assert.NotEqual(device, Libc.Stat(Target).FileSystem);
        Assert.False(Libc.IsFileSystemGone(device));
    }

    [SkippableFact]
    public void Options_that_the_kernel_would_cut_off_are_refused_before_it_sees_them()
    {
        var page = Environment.SystemPageSize;
        var fits = Encoding.ASCII.GetBytes("size=1m".PadRight(page - 1, ','));
        Libc.Mount("tmpfs", Target, "tmpfs", MountFlags.None, fits);
        TempDirectory.Unmount(Target);
        var error = Assert.Throws<LinuxException>(() => Libc.Mount("tmpfs", Target, "tmpfs", MountFlags.None, [.. fits, (byte)',']));
        Assert.Equal(Errno.E2BIG, error.Errno);
        Assert.Contains($"{page} bytes, the kernel takes {page - 1}", error.Message, StringComparison.Ordinal);
        Assert.Equal(Errno.EINVAL, Libc.TryUmount2(Target));
    }

    [SkippableFact]
    public void An_overlay_is_configured_by_descriptors_whatever_their_paths_hold()
    {
        File.WriteAllText(_temp["lower one/a"], "1");
        File.WriteAllText(_temp["lower:two/b"], "2");
        using (var context = Libc.FsOpen("overlay"))
        {
            Libc.FsConfigString(context, "source", "storage-actors");
            foreach (var (key, name) in new[] { ("lowerdir+", "lower one"), ("lowerdir+", "lower:two"), ("upperdir", "upper"), ("workdir", "work") })
            {
                using var directory = Libc.OpenAt(_temp.Handle, Encoding.UTF8.GetBytes(name), OpenFlags.Path | OpenFlags.Directory);
                Libc.FsConfigFd(context, key, directory);
            }
            Libc.FsConfigFlag(context, "volatile");
            Libc.FsConfigCreate(context);
            using var mount = Libc.FsMount(context, MountAttributes.NoDevices);
            Assert.True(Libc.FStatAt(mount, "b"u8).IsRegular);   // before it is attached anywhere
            Libc.MoveMount(mount, _temp.Handle, "target"u8);
        }
        File.WriteAllText(_temp["target/c"], "3");
        Assert.Equal(["a", "b", "c"], Directory.GetFiles(Target).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal(FsMagic.Overlay, Libc.StatFs(Target).Type);
        Assert.True(File.Exists(_temp["upper/c"]));
        var entry = Assert.Single(MountTable.ReadBelow(Target));
        Assert.Equal(("overlay", "storage-actors"), (entry.Type, entry.Source));
        Assert.Contains("nodev", entry.Options, StringComparison.Ordinal);
        Assert.Contains("volatile", entry.SuperOptions, StringComparison.Ordinal);
        TempDirectory.Unmount(Target);
    }

    [SkippableFact]
    public void A_refused_configuration_comes_with_the_kernels_own_words()
    {
        using var context = Libc.FsOpen("overlay");
        var error = Assert.Throws<LinuxException>(() => Libc.FsConfigString(context, "index", "perhaps"));
        Assert.Equal(("fsconfig", "index=perhaps", Errno.EINVAL), (error.Operation, error.Path, error.Errno));
        Assert.Contains("overlay: Bad value for 'index'", error.Detail, StringComparison.Ordinal);
        Assert.Equal("", Libc.ReadFsLog(context));
        Assert.Equal(Errno.ENODEV, Libc.TryFsOpen("no-such-type", out _));
    }

    [SkippableFact]
    public void A_private_clone_does_not_see_later_mounts_and_may_be_made_read_only()
    {
        Libc.MkdirAt(_temp.Handle, "target/dir"u8, 0x1ED);
        using (var clone = Libc.OpenTree(_temp.Handle, "target"u8, OpenTreeFlags.Clone))
        {
            Libc.MountSetAttr(clone, MountAttributes.ReadOnly, propagation: MountFlags.Private);
            Assert.True(Libc.FStatFs(clone).IsReadOnly);
            Assert.Equal(Errno.EROFS, Libc.TryMkdirAt(clone, "new"u8, 0x1ED));
            Libc.Mount("tmpfs", _temp["target/dir"], "tmpfs", MountFlags.None);
            Assert.True(Libc.Stat(_temp["target/dir"]).IsMountRoot);
            Assert.False(Libc.FStatAt(clone, "dir"u8).IsMountRoot);
            Libc.MountSetAttr(clone, MountAttributes.None, clear: MountAttributes.ReadOnly);
            Libc.MkdirAt(clone, "new"u8, 0x1ED);
            Libc.MoveMount(clone, _temp["upper"]);
        }
        TempDirectory.Unmount(_temp["upper"]);
        TempDirectory.Unmount(_temp["target/dir"]);
    }

    [SkippableFact]
    public async Task A_relative_mount_is_made_from_a_thread_with_a_directory_of_its_own()
    {
        var before = Environment.CurrentDirectory;
        using var thread = new PrivateThread("mounts");
        await thread.Run(() =>
        {
            Libc.ChDir(_temp.Path);
            Libc.Umask(0x3F);
            Libc.Mount("overlay", "target", "overlay", MountFlags.None, "lowerdir=lower one:lower\\:two"u8);
        });
        Assert.Equal(before, Environment.CurrentDirectory);
        Assert.True(Libc.Stat(Target).IsMountRoot);
        var error = await Assert.ThrowsAsync<LinuxException>(() => thread.Run(() => Libc.ChDir(_temp["missing"])));
        Assert.Equal(("chdir", Errno.ENOENT), (error.Operation, error.Errno));
        Assert.True(await thread.Run(() => thread.IsCurrent));
        Assert.False(thread.IsCurrent);
        await thread.Run(() => Libc.FChDir(_temp.Handle));
        TempDirectory.Unmount(Target);
    }

    [SkippableFact]
    public void Mount_points_with_odd_names_are_listed_by_their_real_names()
    {
        var odd = _temp["a b\tc\nd\\e#f"];
        Libc.Mkdir(odd, 0x1ED);
        Libc.Mount("source with blank", odd, "tmpfs", MountFlags.ReadOnly);
        var inner = Assert.Single(MountTable.ReadBelow(_temp.Path));
        Assert.Equal((odd, "source with blank", "tmpfs", "/"), (inner.Target, inner.Source, inner.Type, inner.Root));
        Assert.StartsWith("ro", inner.Options, StringComparison.Ordinal);
        Assert.Equal(Libc.Stat(odd).FileSystem, inner.FileSystem);
        TempDirectory.Unmount(odd);
    }

    [SkippableFact]
    public void Mounts_below_a_directory_are_listed_in_the_order_to_unmount_them()
    {
        Libc.Mount("tmpfs", Target, "tmpfs", MountFlags.None);
        Libc.Mkdir(_temp["target/in"], 0x1ED);
        Libc.Mount("tmpfs", _temp["target/in"], "tmpfs", MountFlags.None);
        Libc.Mount("tmpfs", _temp["target/in"], "tmpfs", MountFlags.None);
        Libc.Mount("tmpfs", _temp["upper"], "tmpfs", MountFlags.None);
        var targets = MountTable.ReadBelow(Target).Select(entry => entry.Target).ToList();
        Assert.Equal([_temp["target/in"], _temp["target/in"], Target], targets);
        foreach (var target in targets.Append(_temp["upper"])) TempDirectory.Unmount(target);
    }
}
