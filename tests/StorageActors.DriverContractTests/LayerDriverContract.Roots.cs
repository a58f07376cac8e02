using System.Formats.Tar;
using System.Text;
using StorageActors.DriverContractTests.Harness;
using StorageActors.Drivers;
using StorageActors.Linux;
using StorageActors.Protocol;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.DriverContractTests;

/// <summary>The root of a layer: its mode and owner from the staging on, and its label.</summary>
public abstract partial class LayerDriverContract
{
    private const string Label = "system_u:object_r:container_ro_file_t:s0";

    private static readonly DriverOptions Labelled = new() { Label = SelinuxLabel.TryParse("system_u:object_r:container_ro_file_t:s0:c1,c2") };

    [SkippableTheory]
    [MemberData(nameof(Makings))]
    public void Root_of_a_layer_without_a_parent_has_the_mode_of_the_settings(Making making)
    {
        using var store = NewStore();
        using var driver = Open(store, new DriverOptions { RootMode = 0x16D }); // 0555
        Add(driver, making, "base", null).Write("a", "1");
        Add(driver, making, "top", "base").Write("b", "1");
        Assert.StartsWith(". dir 0555 0:0 ", driver.TreeOf("base")[0], StringComparison.Ordinal);
        Assert.StartsWith(". dir 0555 0:0 ", driver.TreeOf("top")[0], StringComparison.Ordinal);
    }

    [SkippableFact]
    public void Root_that_nobody_changed_is_in_no_diff_whatever_mode_the_settings_say()
    {
        using var store = NewStore();
        using var driver = Open(store, new DriverOptions { RootMode = 0x16D });
        driver.CreateWritable("base", null).Write("a", "1");
        driver.CreateWritable("top", "base").Write("b", "1");
        Assert.Equal(["a"], NamesIn(driver.Diff("base")));
        Assert.Equal(["b"], NamesIn(driver.Diff("top")));
        driver.CreateWritable("own", null).Root(Meta.Of("755")).Write("c", "1");
        Assert.Contains("./", NamesIn(driver.Diff("own")));
        driver.Seal("base");
        Assert.Equal(driver.Diff("base"), driver.Diff("base", exact: true));
    }

    [SkippableTheory]
    [MemberData(nameof(TarMakings))]
    public void Root_hands_its_group_to_nothing_that_an_archive_puts_into_it(Making making)
    {
        using var store = NewStore();
        using var driver = Open(store, new DriverOptions { RootMode = 0x5ED }); // 2755
        Add(driver, making, "alone", null).Write("file", "1").Directory("dir").Write("deep/er/file", "1");
        driver.Create("base", parent: null).Root(Meta.Of("2775", 0, 50)).Write("a", "1");
        Add(driver, making, "top", "base").Write("file", "1").Directory("dir").Write("deep/er/file", "1").Symlink("link", "file").Node("pipe", FileType.Fifo);
        foreach (var (id, root) in (ReadOnlySpan<(string, string)>)[("alone", ". dir 2755 0:0"), ("top", ". dir 2775 0:50")])
        {
            var tree = driver.TreeOf(id, SnapshotParts.Mode | SnapshotParts.Owner);
            Assert.Equal(root, tree[0]);
            Assert.Contains("./file file 0644 0:0 1", tree);
            Assert.Contains("./dir dir 0755 0:0", tree);
            Assert.Contains("./deep dir 0755 0:0", tree);
            Assert.Contains("./deep/er dir 0755 0:0", tree);
        }

        Assert.Contains("./link link 0:0", driver.TreeOf("top", SnapshotParts.Mode | SnapshotParts.Owner).Select(static line => line.Split(" ->")[0]));
        Assert.Contains("./pipe fifo 0644 0:0", driver.TreeOf("top", SnapshotParts.Mode | SnapshotParts.Owner));
    }

    [SkippableFact]
    public void Root_of_a_layer_that_is_filled_later_hands_on_nothing_either()
    {
        using var store = NewStore();
        using var driver = Open(store);
        driver.Create("base", parent: null).Root(Meta.Of("2775", 0, 50)).Write("a", "1");
        var layer = driver.CreateWritable("filled", "base").Commit();
        var staged = new StagedLayer(layer.Id, driver.Locate(layer).Path, writable: true) { Parents = driver.Parents(layer) };
        Extract(driver, staged, TarContent.Of([new FileOp.Write("file", [1], Meta.File), new FileOp.MakeDirectory("dir", Meta.Directory)]));
        var tree = driver.TreeOf("filled", SnapshotParts.Mode | SnapshotParts.Owner);
        Assert.Equal(". dir 2775 0:50", tree[0]);
        Assert.Contains("./file file 0644 0:0 1", tree);
        Assert.Contains("./dir dir 0755 0:0", tree);
    }

    [SkippableTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void Staged_root_is_from_the_start_as_it_will_be(bool writable)
    {
        using var store = NewStore();
        using var driver = Open(store, Labelled with { RootMode = 0x1E8 }); // 0750
        driver.Create("base", parent: null).Root(Meta.Of("1711", 11, 12)).Write("a", "1").Commit();
        foreach (var (id, parent, expected) in (ReadOnlySpan<(string, string?, (uint, uint, uint))>)[("alone", null, (0x1E8, 0, 0)), ("above", "base", (0x3C9, 11, 12))])
        {
            var layer = writable ? driver.CreateWritable(id, parent) : driver.Create(id, parent);
            var staged = driver.Stage(layer);
            driver.Driver.Begin(staged);
            var status = Libc.Stat(staged.Path + "/diff");
            Assert.Equal(expected, (status.Permissions, status.UserId, status.GroupId));
            Assert.Equal(Label, LabelOf(staged.Path + "/diff"));
            driver.Forget(id);
        }
    }

    [SkippableFact]
    public void Layer_whose_parent_goes_while_it_is_looked_at_is_refused_by_its_parent()
    {
        using var store = NewStore();
        using var driver = Open(store);
        driver.IsHarmed = true;
        driver.Create("base", parent: null).Write("a", "1").Commit();
        var staged = driver.Stage(driver.CreateWritable("top", "base"));
        Directory.Move(driver.Locate("base").Path, store.Path + "/gone");
        var error = RefusedForGood(() => driver.Driver.Begin(staged));
        Assert.Equal((StorageErrorCode.NotFound, StorageErrorReason.UnknownParent), (error.Code, error.Reason));
        Assert.Contains("base", error.Message, StringComparison.Ordinal);
    }

    [SkippableTheory]
    [MemberData(nameof(Makings))]
    public void Root_of_every_layer_has_the_label_of_the_settings_at_the_level_that_all_may_read(Making making)
    {
        using var store = NewStore();
        using var driver = Open(store, Labelled);
        Add(driver, making, "base", null).Root(Meta.Of("750", 3, 4).With("user.root", "base")).Write("a", "1");
        Add(driver, making, "top", "base").Write("b", "1");
        driver.CreateWritable("empty", "top");
        driver.Commit();
        foreach (var id in (ReadOnlySpan<string>)["base", "top", "empty"]) Assert.Equal(Label, LabelOf(driver.Locate(id).Path + "/diff"));
        Assert.Equal(". dir 0750 3:4 user.root=\"base\"", driver.TreeOf("empty", SnapshotParts.Mode | SnapshotParts.Owner | SnapshotParts.Xattrs)[0]);
    }

    [SkippableFact]
    public void Label_is_the_machines_and_part_of_no_diff()
    {
        using var store = NewStore();
        using var driver = Open(store, Labelled);
        driver.Create("base", parent: null).Write("a", "1");
        driver.Create("sealed", "base").Write("b", "1");
        driver.CreateWritable("rw", "sealed").Write("c", "1");
        driver.CreateWritable("bare", null).Write("d", "1");
        driver.Commit();
        Libc.SetXattrAt(Libc.CurrentDirectory, Encoding.UTF8.GetBytes(driver.Locate("rw").Path + "/diff"), SelinuxLabel.Attribute, "another:label:here"u8);

        Assert.Equal(["c"], NamesIn(driver.Diff("rw")));
        Assert.Equal(["d"], NamesIn(driver.Diff("bare")));
        Assert.Equal(["b", "c"], NamesIn(driver.Diff("rw", from: "base")));
        Assert.Equal(["A /c"], driver.Changes("rw"));
        Assert.DoesNotContain("selinux", Encoding.Latin1.GetString(driver.Diff("rw", from: "base")), StringComparison.Ordinal);
        Assert.Equal(driver["sealed"].Tar, driver.Diff("sealed", exact: true));
        var before = driver.Diff("rw");
        driver.Seal("rw");
        Assert.Equal(before, driver.Diff("rw", exact: true));
        Assert.Empty(driver.Verify());
    }

    private static string LabelOf(string path) =>
        Encoding.ASCII.GetString(Libc.GetXattrAt(Libc.CurrentDirectory, Encoding.UTF8.GetBytes(path), SelinuxLabel.Attribute) ?? []);

    private static List<string> NamesIn(byte[] tar)
    {
        using var reader = new TarReader(new MemoryStream(tar));
        var names = new List<string>();
        while (reader.GetNextEntry() is { } entry) names.Add(entry.Name);
        return names;
    }
}
