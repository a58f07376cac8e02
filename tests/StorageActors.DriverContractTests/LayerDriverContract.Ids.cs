using System.Formats.Tar;
using System.Text;
using StorageActors.DriverContractTests.Harness;
using StorageActors.Drivers;
using StorageActors.Linux;
using StorageActors.Protocol;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.DriverContractTests;

/// <content>Users and groups of containers that are others on the host.</content>
public abstract partial class LayerDriverContract
{
    private static readonly IdMap First = Shifted(100_000);
    private static readonly IdMap Second = new([new(0, 300_000, 1000), new(1000, 500_000, 64_536)], [new(0, 400_000, 65_536)]);

    private static IdMap Shifted(uint start) => new([new(0, start, 65_536)], [new(0, start, 65_536)]);

    private static void SkipUnlessIds(DriverUnderTest driver) => Skip.If(driver.Driver.NoIdMaps is not null, driver.Driver.NoIdMaps);

    private static (uint User, uint Group) OwnerOf(string path) => Libc.Stat(path, AtFlags.SymlinkNoFollow) is var status ? (status.UserId, status.GroupId) : default;

    [SkippableTheory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(20)]
    public void Sealed_layers_are_shown_with_the_ids_of_whoever_mounts_them_and_stay_as_they_are(int layers)
    {
        using var store = NewStore();
        using var driver = Open(store);
        SkipUnlessIds(driver);
        for (var i = 0u; i < layers; i++)
            driver.Create($"l{i}", i == 0 ? null : $"l{i - 1}").Write($"f{i}", "1", Meta.Of("640", i, 2000 + i)).Directory("d", Meta.Of("750", 5, i)).Symlink($"s{i}", "f0");
        var top = $"l{layers - 1}";
        var before = driver.TreeOf(top);
        foreach (var ids in (IdMap[])[First, Second, IdMap.Host])
        {
            using var mount = driver.Seen(top, ids);
            Assert.Equal(ids, mount.Active.Ids);
            for (var i = 0u; i < layers; i++) Assert.Equal((ids.UserToHost(i), ids.GroupToHost(2000 + i)), OwnerOf($"{mount.Path}/f{i}"));
            Assert.Equal((ids.UserToHost(5), ids.GroupToHost((uint)layers - 1)), OwnerOf(mount.Path + "/d"));
            Assert.Equal((ids.UserToHost(0), ids.GroupToHost(0)), OwnerOf(mount.Path + "/s0"));
            Assert.Equal((ids.UserToHost(0), ids.GroupToHost(0)), OwnerOf(mount.Path));
            if (ids.Equals(First)) Assert.Equal(ids, driver.Driver.FindMount(driver.Locate(top))!.Ids);
        }

        Assert.Equal(before, driver.TreeOf(top));
    }

    [SkippableFact]
    public void What_a_container_writes_has_host_ids_in_the_layer_and_its_own_in_the_tar()
    {
        using var store = NewStore();
        using var driver = Open(store);
        SkipUnlessIds(driver);
        driver.Create("base", parent: null).Root(Meta.Of("750", 3, 4)).Write("below", "1", Meta.Of("644", 7, 8)).Write("gone", "1").Directory("dir", Meta.Of("755", 9, 9)).Write("dir/old", "1");
        driver.CreateWritable("plain", parent: "base").Do(Steps(0));
        driver.CreateWritable("mapped", parent: "base", First).Do(Steps(100_000));
        driver.Commit();
        using (var mount = driver.Mounted("mapped", MountMode.ReadWrite))
        {
            Assert.Equal((100_003u, 100_004u), OwnerOf(mount.Path));
            Assert.Equal((100_007u, 100_008u), OwnerOf(mount.Path + "/below"));
            Touch(mount.Path + "/below");   // Copied up.
            Assert.Equal((100_007u, 100_008u), OwnerOf(mount.Path + "/below"));
            Date(mount.Path, "new", ".");
        }

        using (var mount = driver.Mounted("plain", MountMode.ReadWrite))
        {
            Touch(mount.Path + "/below");
            Date(mount.Path, "new", ".");
        }

        var content = driver.Locate("mapped").Path + "/diff";
        Assert.Equal((100_003u, 100_004u), OwnerOf(content));
        Assert.Equal((100_007u, 100_008u), OwnerOf(content + "/below"));
        Assert.Equal((100_001u, 100_002u), OwnerOf(content + "/new/file"));
        Assert.Equal((100_000u, 100_000u), OwnerOf(driver.Locate("mapped").Path + "/work"));

        Assert.Equal(driver.Diff("plain"), driver.Diff("mapped"));
        Assert.Equal(driver.Diff("plain", whole: true), driver.Diff("mapped", whole: true));
        Assert.Equal(driver.Changes("plain"), driver.Changes("mapped"));
        Assert.Empty(driver.Changes("mapped", "plain"));
        var (plain, mapped) = (driver.Seal("plain"), driver.Seal("mapped"));
        Assert.Equal(plain.DiffId, mapped.DiffId);
        Assert.Equal(plain.Uids, mapped.Uids);
        Assert.Equal(driver.Diff("plain", exact: true), driver.Diff("mapped", exact: true));

        static FileOp[] Steps(uint shift) =>
        [
            new FileOp.MakeDirectory("new", Meta.Of("711", shift, shift)), new FileOp.Write("new/file", [1], Meta.Of("4755", shift + 1, shift + 2)),
            new FileOp.Symlink("link", "new", Meta.Of("777", shift + 3, shift)), new FileOp.HardLink("again", "new/file"), new FileOp.Remove("gone"),
            new FileOp.Remove("dir"), new FileOp.MakeDirectory("dir", Meta.Of("700", shift + 5, shift + 5)), new FileOp.Node("fifo", FileType.Fifo, default, Meta.Of("600", shift + 6, shift)),
            new FileOp.Write("acl", [1], Meta.Of("640", shift, shift).With("system.posix_acl_access", Acl(shift + 42, shift + 43))),
        ];
    }

    [SkippableFact]
    public void Layer_that_was_sealed_with_a_map_is_like_any_other_below_all_maps()
    {
        using var store = NewStore();
        using var driver = Open(store);
        SkipUnlessIds(driver);
        driver.Create("base", parent: null).Write("below", "1", Meta.Of("644", 7, 8));
        driver.CreateWritable("sealed", parent: "base", First).Write("file", "1", Meta.Of("600", 100_001, 100_002)).Directory("dir", Meta.Of("700", 101_500, 100_000));
        driver.Seal("sealed");
        driver.CreateWritable("same", parent: "sealed", First).Write("dir/new", "1", Meta.Of("600", 100_009, 100_009));
        driver.CreateWritable("other", parent: "sealed", Second).Write("dir/new", "1", Meta.Of("600", 300_009, 400_009));
        driver.CreateWritable("host", parent: "sealed").Write("dir/new", "1", Meta.Of("600", 9, 9));
        driver.Commit();
        using (var same = driver.Mounted("same", MountMode.ReadWrite))
        using (var other = driver.Mounted("other", MountMode.ReadWrite))
        using (var host = driver.Mounted("host", MountMode.ReadWrite))
        {
            foreach (var (path, ids) in ((string, IdMap)[])[(same.Path, First), (other.Path, Second), (host.Path, IdMap.Host)])
            {
                Assert.Equal((ids.UserToHost(1), ids.GroupToHost(2)), OwnerOf(path + "/file"));
                Assert.Equal((ids.UserToHost(1500), ids.GroupToHost(0)), OwnerOf(path + "/dir"));
                Assert.Equal((ids.UserToHost(7), ids.GroupToHost(8)), OwnerOf(path + "/below"));
                Assert.Equal((ids.UserToHost(9), ids.GroupToHost(9)), OwnerOf(path + "/dir/new"));
                Date(path, "dir", ".");
            }
        }

        Assert.Equal(driver.Diff("host"), driver.Diff("same"));
        Assert.Equal(driver.Diff("host"), driver.Diff("other"));
        Assert.Equal(driver.Diff("host", "base"), driver.Diff("other", "base"));
        Assert.Empty(driver.Changes("same", "other"));
        driver.Create("applied", parent: "sealed").HardLink("linked", "file").Directory("dir/sub").Commit();
        using var seen = driver.Seen("applied", IdMap.Host);
        Assert.Equal((1u, 2u), OwnerOf(seen.Path + "/linked"));
        Assert.Equal((1500u, 0u), OwnerOf(seen.Path + "/dir"));
    }

    [SkippableFact]
    public void Ids_without_a_counterpart_are_refused_by_name_when_the_tar_is_written()
    {
        using var store = NewStore();
        using var driver = Open(store);
        SkipUnlessIds(driver);
        driver.Create("base", parent: null).Write("far", "1", Meta.Of("644", 70_000, 0));
        driver.CreateWritable("rw", parent: "base", First).Write("by-host", "1", Meta.Of("644", 5, 100_000)).Commit();
        using (var mount = driver.Mounted("rw", MountMode.ReadWrite)) Assert.Equal((65_534u, 100_000u), OwnerOf(mount.Path + "/far"));
        foreach (var action in (Action[])[() => driver.Diff("rw"), () => driver.Seal("rw")])
        {
            var error = RefusedForGood(action);
            Assert.Equal(StorageErrorCode.BadInput, error.Code);
            Assert.Contains("/by-host: the host's user 5 ", error.Message, StringComparison.Ordinal);
            Assert.Contains(First.ToString(), error.Message, StringComparison.Ordinal);
        }

        Assert.Equal(["A /by-host"], driver.Changes("rw"));
        using (var file = Opened(driver.Locate("rw").Path + "/diff/by-host")) Libc.FChown(file, 100_005, 100_005);
        Assert.Contains("by-host", Owners(driver.Diff("rw")));
        Assert.Contains("5:5", Owners(driver.Diff("rw")));
    }

    [SkippableFact]
    public void Layer_is_written_to_with_its_own_map_alone_and_a_map_needs_a_root()
    {
        using var store = NewStore();
        using var driver = Open(store);
        SkipUnlessIds(driver);
        var layer = driver.CreateWritable("rw", parent: null, First).Commit();
        Assert.Equal((100_000u, 100_000u), OwnerOf(driver.Locate("rw").Path + "/diff"));
        var error = RefusedForGood(() => driver.Driver.Mount(driver.Request(layer, MountMode.ReadWrite) with { Ids = Second }));
        Assert.Equal(StorageErrorCode.WrongState, error.Code);
        using (var mount = driver.Seen("rw", Second)) Assert.Equal((300_000u, 400_000u), OwnerOf(mount.Path));

        var rootless = driver.CreateWritable("rootless", parent: null, new IdMap([new(1, 100_001, 5)], []));
        Assert.Equal(StorageErrorCode.InvalidArgument, RefusedForGood(() => driver.Driver.Begin(driver.Stage(rootless))).Code);
        driver.Forget("rootless");
    }

    [SkippableFact]
    public void Mount_that_outlived_its_engine_is_taken_over_with_its_ids_and_made_again_for_others()
    {
        using var store = NewStore();
        using var driver = Open(store);
        SkipUnlessIds(driver);
        var layer = driver.Create("base", parent: null).Write("f", "1").Commit();
        driver.Driver.Mount(driver.Request(layer, MountMode.ReadOnly) with { Ids = First });
        driver.Restart();
        Assert.Equal(First, driver.Driver.FindMount(driver.Locate(layer))!.Ids);
        var device = Libc.Stat(driver.Locate(layer).Path + "/merged").FileSystem;
        Assert.Equal(device, Libc.Stat(driver.Driver.Mount(driver.Request(layer, MountMode.ReadOnly) with { Ids = First }).Path).FileSystem);
        Assert.Equal(IdMap.Host, driver.Mount(layer, MountMode.ReadOnly).Ids);
        Assert.Equal((0u, 0u), OwnerOf(driver.Locate(layer).Path + "/merged/f"));
        Assert.Equal(IdMap.Host, driver.Driver.FindMount(driver.Locate(layer))!.Ids);
        driver.Unmount(layer);
    }

    [SkippableFact]
    public void Driver_that_shows_ids_as_they_are_on_disk_says_so_instead()
    {
        using var store = NewStore();
        using var driver = Open(store);
        Skip.If(driver.Driver.NoIdMaps is null, "it can show others");
        var layer = driver.Create("base", parent: null).Write("f", "1").Commit();
        var error = RefusedForGood(() => driver.Driver.Mount(driver.Request(layer, MountMode.ReadOnly) with { Ids = First }));
        Assert.Equal(StorageErrorCode.Unsupported, error.Code);
        Assert.Contains(First.ToString(), error.Message, StringComparison.Ordinal);
        var mapped = driver.CreateWritable("mapped", parent: "base", First);
        Assert.Equal(StorageErrorCode.Unsupported, RefusedForGood(() => driver.Driver.Begin(driver.Stage(mapped))).Code);
        driver.Forget("mapped");
        Assert.Empty(MountTable.ReadBelow(store.Path));
    }

    /// <summary>An access control list that names a user and a group.</summary>
    private static byte[] Acl(uint user, uint group)
    {
        using var acl = new MemoryStream();
        using var writer = new BinaryWriter(acl);
        writer.Write(2u);
        foreach (var (tag, permissions, id) in ((ushort, ushort, uint)[])[(1, 6, ~0u), (2, 4, user), (4, 4, ~0u), (8, 4, group), (0x10, 4, ~0u), (0x20, 0, ~0u)])
        {
            writer.Write(tag);
            writer.Write(permissions);
            writer.Write(id);
        }

        return acl.ToArray();
    }

    private static string Owners(byte[] tar)
    {
        using var reader = new TarReader(new MemoryStream(tar));
        var lines = new List<string>();
        while (reader.GetNextEntry() is { } entry) lines.Add($"{entry.Name} {entry.Uid}:{entry.Gid}");
        return string.Join('\n', lines);
    }

    private static void Touch(string path)
    {
        using var file = Opened(path);
        Libc.FUtimens(file, Meta.Past, Meta.Past);
    }

    /// <summary>Gives directories a time of their own: what was made in them at two moments is to be the same tar.</summary>
    private static void Date(string root, params string[] directories)
    {
        using var directory = Libc.OpenDirectory(root);
        foreach (var path in directories) Libc.UtimensAt(directory, Encoding.ASCII.GetBytes(path), Meta.Past, Meta.Past);
    }

    private static Microsoft.Win32.SafeHandles.SafeFileHandle Opened(string path) => Libc.Open(path, OpenFlags.ReadWrite);
}
