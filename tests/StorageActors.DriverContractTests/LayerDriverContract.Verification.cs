using StorageActors.DriverContractTests.Harness;
using StorageActors.Drivers;
using StorageActors.Linux;
using Xunit;

namespace StorageActors.DriverContractTests;

public abstract partial class LayerDriverContract
{
    [SkippableFact]
    public void A_stack_is_tried_where_nobody_sees_it_and_what_is_missing_of_it_is_an_error()
    {
        using var store = NewStore();
        using var driver = Open(store);
        var bottom = driver.Create("base", parent: null).Write("file", "content").Commit();
        var top = driver.Create("top", parent: "base").Write("other", "content").Commit();
        var (below, above) = (driver.Locate(bottom), driver.Locate(top));

        driver.Driver.TryMount(below, []);
        driver.Driver.TryMount(above, [below]);
        if (driver.Driver.Capabilities.HasFlag(DriverCapabilities.KernelMount)) Assert.Null(driver.Driver.FindMount(above));
        driver.IsHarmed = true;
        var (tree, aside) = (above.Path + "/diff", above.Path + "/aside");
        Directory.Move(tree, aside);
        Assert.Throws<PermanentDriverException>(() => driver.Driver.TryMount(above, [below]));
        Directory.Move(aside, tree);
        driver.Driver.TryMount(above, [below]);
    }

    [SkippableTheory]
    [InlineData("content", true)]
    [InlineData("content by a link", true)]
    [InlineData("mode", false)]
    [InlineData("owner", false)]
    [InlineData("size", false)]
    [InlineData("missing", false)]
    [InlineData("xattr", false)]
    [InlineData("xattr lost", false)]
    [InlineData("xattr added", false)]
    [InlineData("link", false)]
    [InlineData("time of a directory", false)]
    [InlineData("mode of a directory", false)]
    [InlineData("directory", false)]
    public void Verification_finds_what_differs_from_the_recorded_tar(string damage, bool onlyInFull)
    {
        using var store = NewStore();
        using var driver = Open(store);
        var layer = driver.Create("base", parent: null).Write("file", "content", Meta.File.With("user.a", "b")).Symlink("link", "file")
            .Directory("dir", Meta.Of("755")).Symlink("way", "dir").Write("way/through", "content").Commit();
        IReadOnlyList<string> Verify(bool full) => driver.Driver.Verify(driver.Locate(layer), [], full, CancellationToken.None);
        Assert.Empty(Verify(full: true));

        driver.IsHarmed = true;
        var path = FindContent(driver, "base", "file");
        var hit = "/file";
        using (var directory = Libc.OpenDirectory(Path.GetDirectoryName(path)!))
        {
            switch (damage)
            {
                case "content": Rewrite(path); break;
                case "content by a link": 
                    Rewrite(Path.GetDirectoryName(path) + "/dir/through");
                    hit = "/dir/through";
                    break;
                case "mode": Libc.FChmodAt(directory, "file"u8, 0x1FF); break;
                case "owner": Libc.FChownAt(directory, "file"u8, 7, 7); break;
                case "size": File.AppendAllText(path, "more"); break;
                case "missing": File.Delete(path); break;
                case "xattr": Libc.SetXattrAt(directory, "file"u8, "user.a"u8, "c"u8); break;
                case "xattr lost": Libc.RemoveXattrAt(directory, "file"u8, "user.a"u8); break;
                case "xattr added": Libc.SetXattrAt(directory, "file"u8, "user.more"u8, "c"u8); break;
                case "time of a directory":
                    Libc.UtimensAt(directory, "dir"u8, new TimeSpec(77, 0), new TimeSpec(77, 0));
                    hit = "/dir";
                    break;
                case "mode of a directory":
                    Libc.FChmodAt(directory, "dir"u8, 0x1FF);
                    hit = "/dir";
                    break;
                case "directory":
                    Directory.Delete(Path.Combine(Path.GetDirectoryName(path)!, "dir"), recursive: true);
                    hit = "/dir";
                    break;
                default:
                    Libc.UnlinkAt(directory, "link"u8);
                    Libc.SymlinkAt("elsewhere"u8, directory, "link"u8);
                    hit = "/link";
                    break;
            }
        }

        Assert.Equal(onlyInFull, Verify(full: false).Count == 0);
        Assert.StartsWith(hit + ":", Assert.Single(Verify(full: true)), StringComparison.Ordinal);
    }

    [SkippableFact]
    public void A_layer_is_not_damaged_by_the_loss_of_one_below()
    {
        using var store = NewStore();
        using var driver = Open(store);
        driver.Create("base", parent: null).Write("a", "1");
        driver.Create("top", parent: "base").Write("b", "1").Remove("a");
        driver.Commit();
        driver.IsHarmed = true;
        Directory.Move(driver.Locate("base").Path, store["aside"]);
        Assert.Empty(driver.Driver.Verify(driver.Locate("top"), driver.Parents(driver["top"]), full: true, CancellationToken.None));
        Directory.Move(store["aside"], driver.Locate("base").Path);
    }

    private static void Rewrite(string path)
    {
        var mtime = File.GetLastWriteTimeUtc(path);
        File.WriteAllText(path, "c0ntent");
        File.SetLastWriteTimeUtc(path, mtime);
    }
}
