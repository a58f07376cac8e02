using StorageActors.Drivers;
using StorageActors.Drivers.Overlay;
using StorageActors.Linux;
using StorageActors.Protocol;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.DriverContractTests;

/// <content>Which of many layers are mounted.</content>
public sealed partial class OverlayDriverTests
{
    [SkippableFact]
    public void Layers_that_are_not_mounted_are_left_out_at_one_look()
    {
        using var store = NewStore();
        using var driver = Open(store, OverlayMethod.OptionString);
        driver.Create("base", parent: null).Write("a", "1");
        LayerId[] layers =
        [
            driver.Create("never", parent: "base").Write("b", "1").Commit().Id, driver.CreateWritable("once", parent: "base").Commit().Id,
            driver.CreateWritable("now", parent: "base").Commit().Id, LayerId.Parse("missing"),
        ];
        driver.Mounted("once", MountMode.ReadWrite).Dispose();
        using var mount = driver.Mounted("now", MountMode.ReadWrite);

        Assert.Contains(LayerId.Parse("now"), driver.Driver.MayBeMounted(layers));
        if (!Libc.Stat(mount.Path).KnowsMountRoot) return;
        Assert.Equal([LayerId.Parse("now")], driver.Driver.MayBeMounted(layers));

        // Of so many the kernel's table is asked instead.
        LayerId[] many = [.. layers, .. Enumerable.Range(0, MountCandidates.Many).Select(static number => LayerId.Parse($"missing-{number}"))];
        var home = Path.GetDirectoryName(Path.GetDirectoryName(mount.Path))!;
        Assert.Equal(["now"], InTable(home));
        Assert.Equal([LayerId.Parse("now")], driver.Driver.MayBeMounted(many));
        using (driver.Mounted("once", MountMode.ReadWrite)) Assert.Equal(["once", "now"], driver.Driver.MayBeMounted(many).Select(static layer => layer.Value));
        Assert.Equal([LayerId.Parse("now")], driver.Driver.MayBeMounted(many));
        Assert.Empty(driver.Driver.MayBeMounted(many[4..]));

        // A table that is larger than a look at each layer is worth tells nothing.
        using var directory = Libc.OpenDirectory(home);
        Assert.Null(MountCandidates.InTable(directory, layers: 1));
    }

    [SkippableFact]
    public void Mounts_of_a_home_that_is_reached_by_a_link_or_has_an_odd_name_are_found_in_the_table()
    {
        using var store = NewStore();
        using var driver = Open(store, OverlayMethod.OptionString);
        var layer = driver.Create("base", parent: null).Write("a", "1").Commit();
        using var mount = driver.Mounted("base", MountMode.ReadOnly);
        if (!Libc.Stat(mount.Path).KnowsMountRoot) return;

        var home = Path.GetDirectoryName(driver.Locate(layer).Path)!;
        LayerId[] many = [LayerId.Parse("base"), .. Enumerable.Range(0, MountCandidates.Many).Select(static number => LayerId.Parse($"missing-{number}"))];
        using var elsewhere = new TempDirectory();
        File.CreateSymbolicLink(elsewhere["a link"], home);
        Assert.Equal(["base"], InTable(elsewhere["a link"]));
        Assert.Equal([many[0]], MountCandidates.Find(elsewhere["a link"], many));

        var odd = Directory.CreateDirectory(elsewhere["odd \\\t#\n\u00e4"]).FullName;
        Directory.CreateDirectory(Path.Combine(odd, "base", "merged"));
        Directory.CreateDirectory(Path.Combine(odd, "missing-7", "merged", "proc"));
        var point = Path.Combine(odd, "base", "merged");
        Libc.Mount("tmpfs", point, "tmpfs", MountFlags.None);
        try
        {
            Assert.Equal(["base"], InTable(odd));
            Assert.Equal([many[0]], MountCandidates.Find(odd, many));
        }
        finally
        {
            TempDirectory.Unmount(point);
        }

        Assert.Equal([], InTable(odd));
        Assert.Empty(MountCandidates.Find(odd, many));
    }

    /// <summary>By the table itself, however many mounts the machine has.</summary>
    private static IEnumerable<string>? InTable(string home)
    {
        using var directory = Libc.OpenDirectory(home);
        return MountCandidates.InTable(directory, layers: 1_000_000)?.Order(StringComparer.Ordinal);
    }
}
