using System.Globalization;
using System.Text;
using StorageActors.Archive.Digests;
using StorageActors.Linux;
using StorageActors.Records;
using StorageActors.Recovery;
using StorageActors.Store;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.EngineTests.Recovery;

/// <summary>What is known of a directory's names without a look at them, on the file systems that stores lie on.</summary>
public sealed class SeenNamesTests
{
    public static TheoryData<string> FileSystems => new(Enum.GetNames<FileSystemKind>().Append("tmpfs"));

    [SkippableTheory]
    [MemberData(nameof(FileSystems))]
    public void They_are_known_until_one_comes_or_goes_however_soon_and_whatever_its_time_is_made_to_be(string kind)
    {
        using var store = new Store(kind);
        var changes = new (string What, Action<int> Do)[]
        {
            ("a directory comes", round => Directory.CreateDirectory(store.Name($"new-{round}"))),
            ("it gets another name", round => Directory.Move(store.Name($"new-{round}"), store.Name($"newer-{round}"))),
            ("it goes out", round => Directory.Move(store.Name($"newer-{round}"), store.Directory["aside"])),
            ("another comes in", _ => Directory.Move(store.Directory["aside"], store.Name("back"))),
            ("it is deleted", _ => Directory.Delete(store.Name("back"))),
            ("a file comes and goes", round =>
            {
                File.WriteAllText(store.Name($"file-{round}"), "");
                File.Delete(store.Name($"file-{round}"));
            }),
            ("a link comes and goes", round =>
            {
                File.CreateSymbolicLink(store.Name($"link-{round}"), "x");
                File.Delete(store.Name($"link-{round}"));
            }),
            ("one is put in place of another", round =>
            {
                File.WriteAllText(store.Name("one"), "");
                File.WriteAllText(store.Name("other"), "");
                store.Note();
                File.Move(store.Name("one"), store.Name("other"), overwrite: true);
            }),
        };
        for (var round = 0; round < 25; round++)
        {
            foreach (var (what, change) in changes)
            {
                store.Note(); // In the midst of changes: the directory's time may be that of this very moment.
                Assert.True(store.Names is { } noted && noted == store.Listed, what);
                Assert.Equal(store.Names, store.Names);
                var before = Libc.Stat(store.Home);
                change(round);
                Assert.True(store.Names is null, what);
                using var home = Libc.OpenDirectory(store.Home);
                Libc.FUtimens(home, before.AccessTime, before.ModifyTime);
                // All of it in the one tick of the note is what no clock tells, and nobody does by accident.
                Assert.True(store.Names is null || Libc.FStat(home).ChangeTime == before.ChangeTime, $"{what}, and the time is set back");
                SeenNames.Forget(store.Layout);
            }
        }
    }

    [SkippableFact]
    public void Of_a_copy_of_another_place_or_of_nothing_they_are_not_known()
    {
        using var store = new Store("tmpfs");
        store.Note();
        var (home, aside) = (store.Home, store.Directory["aside"]);
        Command.Run("cp", "-a", home, aside);
        Assert.NotNull(store.Names);
        Directory.Move(home, home + "-was");
        Assert.Null(store.Names);
        Directory.Move(aside, home);
        Assert.Null(store.Names);
        Assert.Null(SeenNames.Read(store.Layout).Of(store.Layout.ImageHome));
        Assert.Null(SeenNames.Read(new StoreLayout(store.Directory["no store"], "directories")).Of(home));
    }

    [SkippableFact]
    public void A_file_that_is_not_whole_or_of_another_boot_says_nothing()
    {
        using var store = new Store("tmpfs");
        store.Note();
        var bytes = File.ReadAllBytes(store.File);
        Assert.NotNull(store.Names);
        for (var at = 0; at < bytes.Length; at++)
        {
            Expect(null, bytes[..at]);
            Expect(null, [.. bytes[..at], (byte)(bytes[at] ^ 1), .. bytes[(at + 1)..]]);
        }

        Expect(null, [.. bytes, (byte)'\n']);
        var lines = Encoding.UTF8.GetString(bytes).Split('\n');
        Expect(store.Listed, Whole(lines[..^2]));
        Expect(null, Whole([Guid.NewGuid().ToString(), .. lines[1..^2]]));
        foreach (var line in new[] { "", "directories", "directories 1:2 3 4 5 6.7 8.9 10", "directories 1:2 3 4 5 6.7 8.9 10 z", "directories 1:2 3 4 5 6.7 8.9 99999999999 0", lines[1] + "0" })
            Expect(null, Whole([lines[0], line]));
        // Whatever of the directory is another; and as versions wrote it that looked at no mount and no links.
        var fields = lines[1].Split(' ');
        for (var at = 1; at <= 6; at++) Expect(null, Whole([lines[0], string.Join(' ', [.. fields[..at], fields[at] + "1", .. fields[(at + 1)..]])]));
        Expect(null, Whole([lines[0], string.Join(' ', fields.Where((_, at) => at is not (2 or 4)))]));
        Expect(null, new byte[1 << 20]);

        File.Delete(store.File);
        Assert.Null(store.Names);
        Directory.CreateDirectory(store.File); // Nor is it replaced.
        store.Note();
        Assert.Null(store.Names);
        Directory.Delete(store.File);
        File.CreateSymbolicLink(store.File, store.Directory["elsewhere"]);
        store.Note();
        Assert.Null(store.Names);
        Assert.False(File.Exists(store.Directory["elsewhere"]));

        void Expect(NameSum? names, byte[] content)
        {
            File.WriteAllBytes(store.File, content);
            Assert.Equal(names, store.Names);
        }
    }

    /// <summary>As after a repair of what was not mounted, which sets no times.</summary>
    [SkippableFact]
    public void Of_another_mount_they_are_not_known()
    {
        RequiredTiers.SkipUnlessRoot();
        using var store = new Store("tmpfs");
        store.Note();
        var other = new StoreLayout(Directory.CreateDirectory(store.Directory["other"]).FullName, "directories");
        Libc.Mount(store.Layout.Root, other.Root, null, MountFlags.Bind);
        Assert.Null(SeenNames.Read(other).Of(other.DriverHome));
        SeenNames.Note(other, [(other.DriverHome, IdKey.IsId)]);
        Assert.Equal(store.Listed, SeenNames.Read(other).Of(other.DriverHome));
        Assert.Null(store.Names);
        TempDirectory.Unmount(other.Root);
    }

    [SkippableFact]
    public void Where_clocks_tick_in_seconds_nothing_is_noted()
    {
        using var system = LoopFileSystem.Create(FileSystemKind.Ext4, 0, "-I", "128");
        using var directory = system.NewDirectory();
        var layout = new StoreLayout(directory.Path, "directories");
        Directory.CreateDirectory(Path.Combine(layout.DriverHome, "layer-1"));
        Assert.Equal((0, 0), (Libc.Stat(layout.DriverHome).ModifyTime.Nanoseconds, Libc.Stat(layout.DriverHome).ChangeTime.Nanoseconds));
        SeenNames.Note(layout, [(layout.DriverHome, IdKey.IsId)]);
        Assert.Null(SeenNames.Read(layout).Of(layout.DriverHome));
    }

    [SkippableFact]
    public void What_fits_is_not_written_again_and_what_is_taken_back_is_gone()
    {
        using var store = new Store("tmpfs");
        store.Note();
        var first = (Libc.Stat(store.File).ChangeTime, Libc.Stat(store.Home).ChangeTime);
        store.Note();
        Assert.Equal(first, (Libc.Stat(store.File).ChangeTime, Libc.Stat(store.Home).ChangeTime));
        SeenNames.Forget(store.Layout);
        Assert.False(File.Exists(store.File));
        SeenNames.Forget(store.Layout);
    }

    private static byte[] Whole(string[] lines)
    {
        var text = string.Concat(lines.Select(static line => line + "\n"));
        return Encoding.UTF8.GetBytes(text + Crc64.Compute(Encoding.UTF8.GetBytes(text)).ToString("x16", CultureInfo.InvariantCulture) + "\n");
    }

    /// <summary>A store's root with a few layers' directories, and something of the driver's.</summary>
    private sealed class Store : IDisposable
    {
        internal Store(string kind)
        {
            if (kind == "tmpfs") RequiredTiers.SkipUnless(System.IO.Directory.Exists("/dev/shm") && Libc.StatFs("/dev/shm").Type == FsMagic.Tmpfs, "tools", "needs a tmpfs at /dev/shm");
            Directory = kind == "tmpfs" ? new TempDirectory("/dev/shm") : LoopFileSystem.Shared(Enum.Parse<FileSystemKind>(kind)).NewDirectory();
            Layout = new StoreLayout(Directory["store"], "directories");
            foreach (var name in new[] { "l", ".hidden", "ab", "layer-1", "no id at all" }) System.IO.Directory.CreateDirectory(Name(name));
        }

        internal TempDirectory Directory { get; }

        internal StoreLayout Layout { get; }

        internal string Home => Layout.DriverHome;

        internal string File => Path.Combine(Layout.Root, "names");

        internal NameSum? Names => SeenNames.Read(Layout).Of(Home);

        internal NameSum Listed => System.IO.Directory.EnumerateFileSystemEntries(Home).Select(static path => Encoding.UTF8.GetBytes(Path.GetFileName(path))).Where(static name => IdKey.IsId(name))
            .Aggregate(NameSum.None, static (sum, name) => sum.With(name));

        internal string Name(string name) => Path.Combine(Home, name);

        internal void Note() => SeenNames.Note(Layout, [(Home, IdKey.IsId)]);

        public void Dispose() => Directory.Dispose();
    }
}
