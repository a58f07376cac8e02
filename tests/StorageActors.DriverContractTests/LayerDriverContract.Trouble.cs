using StorageActors.Archive.Apply;
using StorageActors.DriverContractTests.Harness;
using StorageActors.Drivers;
using StorageActors.Linux;
using StorageActors.Protocol;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.DriverContractTests;

public abstract partial class LayerDriverContract
{
    [SkippableFact]
    public void Layers_of_an_image_are_extracted_side_by_side_and_rebased_in_order()
    {
        using var store = NewStore();
        using var driver = Open(store);
        SkipUnless(driver, DriverCapabilities.Rebase);
        var layers = new List<(LayerUnderTest Layer, StagedLayer Staged, byte[] Tar)>();
        for (var i = 0; i < 6; i++)
        {
            var layer = driver.Create($"layer{i}", i == 0 ? null : $"layer{i - 1}");
            layer.LateParents = true;
            FileOp[] steps =
            [
                new FileOp.MakeDirectory($"dir{i}", Meta.Of("700", (uint)i, 0)), new FileOp.Write($"dir{i}/own", [1], Meta.File),
                new FileOp.Write($"dir{Math.Max(0, i - 1)}/by{i}", [1], Meta.File), new FileOp.Remove($"dir{Math.Max(0, i - 2)}"), new FileOp.Write("shared", [(byte)i], Meta.File),
            ];
            layers.Add((layer, driver.Stage(layer), TarContent.Of(steps)));
        }

        Parallel.ForEach(layers.AsEnumerable().Reverse(), item =>
        {
            driver.Driver.Begin(item.Staged);
            Extract(driver, item.Staged, item.Tar);
        });
        foreach (var (layer, staged, _) in layers)
        {
            staged.Parents = driver.Parents(layer);
            driver.Driver.Rebase(staged);
            driver.Driver.Finish(staged);
            driver.Rename(staged, layer);
        }

        Assert.Equal(["dir4/", "dir4/by5", "dir4/own", "dir5/", "dir5/own", "shared"], driver.NamesOf("layer5"));
        var tree = driver.TreeOf("layer5", SnapshotParts.Mode | SnapshotParts.Owner);
        Assert.Contains("./dir4 dir 0700 4:0", tree);
        Assert.Equal("\x05", driver.ContentOf("layer5", "shared"));
    }

    [SkippableFact]
    public void Observer_learns_of_all_bytes_and_entries()
    {
        using var store = NewStore();
        using var driver = Open(store);
        var staged = driver.Stage(driver.Create("layer", parent: null));
        driver.Driver.Begin(staged);
        var tar = TarContent.Of(Enumerable.Range(0, 50).Select(i => new FileOp.Write($"file{i}", new byte[100_000], Meta.File)));
        using var blob = new MemoryStream(tar);
        var observer = new Observer();
        driver.Driver.Extract(staged, blob, new ExtractOptions(), observer, CancellationToken.None);
        Assert.Equal((tar.Length, 50), observer.Last);
        Assert.Equal(observer.Seen.OrderBy(step => step.Bytes), observer.Seen);
    }

    [SkippableFact]
    public void Full_disk_is_said_to_be_full_and_the_extraction_can_be_made_again_when_it_is_not()
    {
        RequiredTiers.SkipUnlessRoot();
        using var disk = LoopFileSystem.Create(FileSystem, 400 << 20);
        using var store = disk.NewDirectory();
        using var driver = Open(store);
        var content = new byte[48 << 20];
        new Random(1).NextBytes(content);
        var tar = TarContent.Of([new FileOp.Write("big", content, Meta.File)]);
        var filler = store["filler"];
        using (var file = Libc.Open(filler, OpenFlags.WriteOnly | OpenFlags.Create, 0x180))
        {
            var free = (long)Libc.StatFs(store.Path).AvailableBlocks * Libc.StatFs(store.Path).BlockSize;
            Assert.Equal(Errno.None, Libc.TryFAllocate(file, AllocationFlags.None, 0, free - (16 << 20)));
        }

        var staged = driver.Stage(driver.Create("layer", parent: null));
        driver.Driver.Begin(staged);
        var error = RefusedForGood(() => Extract(driver, staged, tar));
        Assert.Equal((StorageErrorCode.NoSpace, "ENOSPC"), (error.Code, error.Errno));

        File.Delete(filler);
        driver.Driver.Begin(staged);
        Extract(driver, staged, tar);
        driver.Driver.Rebase(staged);
        driver.Driver.Finish(staged);
        driver.Rename(staged, driver["layer"]);
        Assert.Equal(["big"], driver.NamesOf("layer"));
    }

    [SkippableFact]
    public void Parent_that_is_gone_is_named()
    {
        using var store = NewStore();
        using var driver = Open(store);
        SkipUnless(driver, DriverCapabilities.KernelMount);
        driver.Create("base", parent: null).Write("a", "1");
        driver.CreateWritable("rw", parent: "base").Commit();
        Directory.Move(driver.Locate("base").Path, store["elsewhere"]);
        var error = RefusedForGood(() => driver.Mount(driver["rw"], MountMode.ReadWrite));
        Assert.Equal((StorageErrorCode.NotFound, "ENOENT"), (error.Code, error.Errno));
        Assert.Matches("[/=]base[/\"]", error.Message);
        Assert.Empty(MountsBelow(store.Path));
    }

    [SkippableFact]
    public void Diff_of_a_mounted_layer_is_its_content_at_the_moment()
    {
        using var store = NewStore();
        using var driver = Open(store);
        driver.Create("base", parent: null).Write("a", "1");
        driver.CreateWritable("rw", parent: "base");
        using var mount = driver.Mounted("rw", MountMode.ReadWrite);
        mount.Do(new FileOp.Write("b", [1], Meta.File));
        Assert.Equal(["A /b"], driver.Changes("rw"));
        var first = driver.Diff("rw");
        mount.Do(new FileOp.Remove("a"));
        Assert.Equal(["D /a", "A /b"], driver.Changes("rw"));
        driver.CreateFrom("then", parent: "base", first);
        Assert.Equal(["a", "b"], driver.NamesOf("then"));
    }

    [SkippableFact]
    public void What_a_tar_cannot_hold_is_left_out_with_a_warning()
    {
        using var store = NewStore();
        using var driver = Open(store);
        driver.CreateWritable("rw", parent: null).Write("file", "1").Node("socket", FileType.Socket);
        Assert.Equal(["file", "socket"], driver.NamesOf("rw"));
        using var tar = new MemoryStream();
        var written = driver.Driver.WriteDiff(driver.Difference("rw"), tar, CancellationToken.None);
        Assert.Contains(written.Warnings, warning => warning.Contains("socket", StringComparison.Ordinal));
        driver.CreateFrom("again", parent: null, tar.ToArray());
        Assert.Equal(["file"], driver.NamesOf("again"));
    }

    [SkippableFact]
    public void Cancelled_reading_ends_as_cancelled()
    {
        using var store = NewStore();
        using var driver = Open(store);
        driver.Create("base", parent: null).Write("a", "1");
        driver.CreateWritable("rw", parent: "base").Write("b", "1").Commit();
        using var stop = new CancellationTokenSource();
        stop.Cancel();
        Action[] actions =
        [
            () => driver.Driver.WriteDiff(driver.Difference("base", exact: true), Stream.Null, stop.Token),
            () => driver.Driver.WriteDiff(driver.Difference("rw"), Stream.Null, stop.Token),
            () => driver.Driver.WriteDiff(driver.Difference("base", "rw"), Stream.Null, stop.Token),
            () => driver.Driver.Verify(driver.Locate("base"), [], full: true, stop.Token),
            () => driver.Driver.Seal(driver.Locate("rw"), driver.Parents(driver["rw"]), null, stop.Token),
        ];
        Assert.All(actions, action => Assert.Equal(StorageErrorCode.Cancelled, RefusedForGood(action).Code));
        Assert.Equal(["A /b"], driver.Changes("rw"));
        driver.Seal("rw");
    }

    private sealed class Observer : IExtractionObserver
    {
        internal List<(long Bytes, long Entries)> Seen { get; } = [];

        internal (long Bytes, long Entries) Last => Seen[^1];

        public void Advanced(long bytesRead, long entries)
        {
            lock (Seen) Seen.Add((bytesRead, entries));
        }
    }
}
