using System.Text;
using StorageActors.Archive.Apply;
using StorageActors.Archive.Tar;
using StorageActors.Linux;
using StorageActors.Protocol;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.UnitTests.Archive.Apply;

/// <summary>What single entries become: replacements, duplicates, links, directories without an entry.</summary>
public sealed class EntryRuleTests
{
    public static TheoryData<Way> Ways => WhiteoutRuleTests.Ways;

    [SkippableTheory]
    [MemberData(nameof(Ways))]
    public void Every_type_replaces_every_other_within_one_layer(Way way)
    {
        Action<LayerTar, string>[] kinds =
        [
            (tar, name) => tar.File(name, "content"), (tar, name) => tar.Dir(name, 0x1c0), (tar, name) => tar.Symlink(name, "target"),
            (tar, name) => tar.Fifo(name), (tar, name) => tar.Device(name, 1, 3), (tar, name) => tar.Link(name, "source"),
        ];
        using var lab = new LayerLab(way);
        using var plain = new LayerLab(way);
        var both = new LayerTar().File("source", "linked");
        var last = new LayerTar().File("source", "linked");
        for (var from = 0; from < kinds.Length; from++)
        {
            for (var to = 0; to < kinds.Length; to++)
            {
                kinds[from](both, $"{from}{to}");
                if (from == 1 && to != 1) both.File($"{from}{to}/child/deep");
                kinds[to](both, $"{from}{to}");
                kinds[to](last, $"{from}{to}");
            }
        }

        lab.Add(both);
        plain.Add(last);
        Assert.Equal(plain.See().Lines.Skip(1), lab.See().Lines.Skip(1));
    }

    [SkippableTheory]
    [MemberData(nameof(Ways))]
    public void The_last_of_several_entries_of_one_name_wins_and_nothing_is_written_through_a_link(Way way)
    {
        using var lab = new LayerLab(way);
        var tar = new LayerTar().File("a", "first").Link("b", "a").File("./a", "second, longer").File("a", "3").ToArray();
        lab.Add(tar);
        Assert.Equal("3", lab.Read("a"));
        Assert.Equal("first", lab.Read("b"));
        Assert.Equal(tar, lab.Reassemble(0, Digest.Of(tar)));
    }

    [SkippableTheory]
    [MemberData(nameof(Ways))]
    public void A_directory_that_comes_twice_keeps_its_children_and_has_only_the_last_attributes(Way way)
    {
        using var lab = new LayerLab(way);
        lab.Add(new LayerTar().Dir("d", 0x1c0, 1, 2, 100, ("user.old", "1"), ("user.both", "1")).File("d/child")
            .Dir("d", 0x16d, 3, 4, 200, ("user.both", "2")));
        Assert.Equal("./d dir 0555 3:4 mtime=200.000000000 user.both=\"2\"", lab.See().LineOf("d"));
        Assert.Equal(["d", "d/child"], lab.Names());
    }

    [SkippableTheory]
    [MemberData(nameof(Ways))]
    public void A_directory_of_a_layer_below_gets_all_its_attributes_from_the_new_entry(Way way)
    {
        using var lab = new LayerLab(way);
        lab.Add(new LayerTar().Dir("d", 0x1c0, 1, 2, 100, ("user.old", "1")).File("d/old"))
            .Add(new LayerTar().Dir("d", 0x1ff | 0x400, 3, 4, 200, ("user.new", "2")));
        Assert.Equal("./d dir 2777 3:4 mtime=200.000000000 user.new=\"2\"", lab.See().LineOf("d"));
        Assert.Equal(["d", "d/old"], lab.Names());
    }

    [SkippableTheory]
    [MemberData(nameof(Ways))]
    public void Directories_without_an_entry_look_like_those_below_and_otherwise_plain(Way way)
    {
        using var lab = new LayerLab(way);
        lab.Add(new LayerTar().Dir("tmp", 0x3ff, 3, 4, 1_400_000_000, ("user.k", "v")).Dir("tmp/in", 0x1c0, 5, 6, 1_300_000_000));
        var before = lab.See();
        lab.Add(new LayerTar().File("tmp/in/x").File("new/deep/x", time: 1_600_000_000));
        Assert.Equal(before.LineOf("tmp"), lab.See().LineOf("tmp"));
        Assert.Equal(before.LineOf("tmp/in"), lab.See().LineOf("tmp/in"));
        Assert.Equal("./new/deep dir 0755 0:0 mtime=1600000000.000000000", lab.See().LineOf("new/deep"));
    }

    [SkippableTheory]
    [MemberData(nameof(Ways))]
    public void A_later_entry_gives_an_implied_directory_its_attributes(Way way)
    {
        using var lab = new LayerLab(way);
        lab.Add(new LayerTar().Dir("d", 0x1c0, 9, 9)).Add(new LayerTar().File("d/e/x").Dir("d/e", 0x1d0, 1, 2, 300).Dir("d", 0x1e8, 3, 4, 400));
        Assert.Equal("./d dir 0750 3:4 mtime=400.000000000", lab.See().LineOf("d"));
        Assert.Equal("./d/e dir 0720 1:2 mtime=300.000000000", lab.See().LineOf("d/e"));
    }

    [SkippableTheory]
    [MemberData(nameof(Ways))]
    public void The_roots_own_entry_counts_and_is_inherited(Way way)
    {
        using var lab = new LayerLab(way);
        lab.Add(new LayerTar().File("a")).Add(new LayerTar().Dir("./", 0x16d, 5, 6, 500, ("user.root", "1")));
        const string expected = ". dir 0555 5:6 mtime=500.000000000 user.root=\"1\"";
        Assert.Equal(expected, lab.See().Lines[0]);
        lab.Add(new LayerTar().File("b"));
        Assert.Equal(expected, lab.See().Lines[0]);
    }

    [SkippableFact]
    public void A_base_layer_without_a_root_entry_gets_the_default_mode()
    {
        using var lab = new LayerLab();
        lab.Add(new LayerTar().File("a", time: 1_600_000_000));
        Assert.Equal(". dir 0755 0:0 mtime=1600000000.000000000", lab.See().Lines[0]);
    }

    [SkippableTheory]
    [InlineData("/a/b")]
    [InlineData("./a/b")]
    [InlineData("a//./b")]
    public void Odd_spellings_of_a_name_are_the_same_name(string name)
    {
        using var lab = new LayerLab();
        var tar = new LayerTar().File("a/b", "1").File(name, "2").ToArray();
        lab.Add(tar);
        Assert.Equal(["a", "a/b"], lab.Names());
        Assert.Equal("2", lab.Read("a/b"));
        Assert.Equal(tar, lab.Reassemble(0));
    }

    [SkippableFact]
    public void Names_and_targets_may_be_any_bytes()
    {
        using var lab = new LayerLab();
        var tar = new LayerTar().File("\xff\xfe/\x01 \n'\\", "x").Symlink("l\x80", "\xff\xfe/..\xc3").ToArray();
        lab.Add(tar);
        string[] expected = [@"./l\x80 link -> \xff\xfe/..\xc3", @"./\xff\xfe dir", @"./\xff\xfe/\x01 \x0a'\x5c file 1"];
        Assert.Equal(expected, lab.See(SnapshotParts.None).Lines.Skip(1));
        Assert.Equal(tar, lab.Reassemble(0));
    }

    [SkippableTheory]
    [MemberData(nameof(Ways))]
    public void Entries_below_a_link_of_the_same_layer_land_where_it_leads_inside_the_root(Way way)
    {
        using var lab = new LayerLab(way);
        var tar = new LayerTar().Dir("real").Symlink("rel", "real").Symlink("abs", "/real/deeper").Symlink("up", "../../../../real")
            .File("rel/1", "one").File("abs/2", "two").File("up/3", "three").ToArray();
        lab.Add(tar);
        Assert.Equal(["abs", "real", "real/1", "real/3", "real/deeper", "real/deeper/2", "rel", "up"], lab.Names());
        Assert.Equal("two", lab.Read("real/deeper/2"));
        Assert.Equal(tar, lab.Reassemble(0));
    }

    [SkippableTheory]
    [MemberData(nameof(Ways))]
    public void A_directory_takes_the_place_of_a_link_below(Way way)
    {
        using var lab = new LayerLab(way);
        lab.Add(new LayerTar().Dir("usr").File("usr/old").Symlink("bin", "usr")).Add(new LayerTar().File("bin/new"));
        Assert.Equal(["bin", "bin/new", "usr", "usr/old"], lab.Names());
    }

    [SkippableFact]
    public void Payloads_under_replaced_directories_come_back_exactly()
    {
        using var lab = new LayerLab();
        var tar = new LayerTar().File("d/a", "under a directory").File("d/e/b", "deeper").Symlink("d", "elsewhere").File("d/c", "through the link")
            .File("d", "and now a file").Dir("d").File("d/a", "again").ToArray();
        lab.Add(tar);
        Assert.Equal(["d", "d/a", "elsewhere", "elsewhere/c"], lab.Names());
        Assert.Equal(tar, lab.Reassemble(0, lab.Last.DiffId));
    }

    [SkippableTheory]
    [MemberData(nameof(Ways))]
    public void Sparse_files_keep_their_holes_and_come_back_exactly(Way way)
    {
        using var lab = new LayerLab(way);
        using var workshop = new Workshop();
        workshop.Run("truncate -s 10M sparse; echo data | dd of=sparse bs=1 seek=4M conv=notrunc status=none; truncate -s 3M hole; echo x > plain; "
            + "tar --format=gnu -Scf gnu.tar sparse hole plain; for v in 0.0 0.1 1.0; do tar --format=posix --sparse-version=$v -Scf pax$v.tar sparse hole plain; done");
        foreach (var name in (string[])["gnu.tar", "pax0.0.tar", "pax0.1.tar", "pax1.0.tar"])
        {
            var tar = File.ReadAllBytes(workshop.File(name));
            using var one = new LayerLab(way);
            one.Add(tar);
            Assert.Equal(File.ReadAllBytes(workshop.File("sparse")), File.ReadAllBytes(Path.Combine(one.DiffOf(0), "sparse")));
            Assert.Equal(3 << 20, new FileInfo(Path.Combine(one.DiffOf(0), "hole")).Length);
            Assert.InRange(Libc.Stat(Path.Combine(one.DiffOf(0), "sparse")).Blocks * 512, 512, 64 << 10);
            Assert.Equal(tar, one.Reassemble(0, one.Last.DiffId));
        }
    }

    [SkippableFact]
    public void Owners_are_collected_without_those_of_whiteouts()
    {
        using var lab = new LayerLab();
        lab.Add(new LayerTar().File("a", uid: 5, gid: 9).Dir("d", uid: 4_000_000_000, gid: 2).File("b", uid: 5, gid: 2).Symlink("s", "x", 1, 1).Whiteout("gone"));
        Assert.Equal([1, 5, 4_000_000_000], lab.Last.Uids);
        Assert.Equal([1, 2, 9], lab.Last.Gids);
        Assert.Equal(5, lab.Last.Entries);
        Assert.Contains("4000000000:2", lab.See().LineOf("d"), StringComparison.Ordinal);
    }

    [SkippableFact]
    public void Devices_and_fifos_are_made_with_exact_modes()
    {
        using var lab = new LayerLab();
        lab.Add(new LayerTar().Device("null", 1, 3, mode: 0x1b6).Device("disk", 259, 70000, TarEntryType.BlockDevice, 0x1b0).Fifo("pipe", 0xfff).Device("zero", 0, 0, TarEntryType.BlockDevice));
        string[] expected = ["./disk block 0660 0:0 259,70000", "./null char 0666 0:0 1,3", "./pipe fifo 7777 0:0", "./zero block 0666 0:0 0,0"];
        Assert.Equal(expected, lab.See(SnapshotParts.Mode | SnapshotParts.Owner).Lines.Skip(1));
    }

    [SkippableTheory]
    [MemberData(nameof(Ways))]
    public void Modes_owners_and_times_are_exact_whatever_the_process_would_do_by_itself(Way way)
    {
        using var lab = new LayerLab(way);
        lab.Add(new LayerTar().File("suid", "x", 0x9ed).File("suid-other", "x", 0xfff, 5, 6).File("none", "x", 0).File("all", "x", 0x1ff, nanoseconds: 123_456_789)
            .Dir("sticky", 0x3ff).Dir("sgid", 0x5ed, 7, 8).File("sgid/child", "x").Dir("sgid/dir").Dir("locked", 0).File("locked/x", time: -5)
            .Symlink("link", "x", 11, 12, 77));
        string[] expected =
        [
            "./all file 0777 0:0 1 mtime=1700000000.123456789", "./link link 11:12 -> x mtime=77.000000000", "./locked dir 0000 0:0 mtime=1700000000.000000000",
            "./locked/x file 0644 0:0 0 mtime=0.000000000", "./none file 0000 0:0 1 mtime=1700000000.000000000", "./sgid dir 2755 7:8 mtime=1700000000.000000000",
            "./sgid/child file 0644 0:0 1 mtime=1700000000.000000000", "./sgid/dir dir 0755 0:0 mtime=1700000000.000000000",
            "./sticky dir 1777 0:0 mtime=1700000000.000000000", "./suid file 4755 0:0 1 mtime=1700000000.000000000", "./suid-other file 7777 5:6 1 mtime=1700000000.000000000",
        ];
        Assert.Equal(expected, lab.See(SnapshotParts.Mode | SnapshotParts.Owner | SnapshotParts.Times | SnapshotParts.DirectoryTimes).Lines.Skip(1));
    }

    [SkippableFact]
    public void Access_times_are_those_of_the_archive_and_never_before_the_change()
    {
        using var lab = new LayerLab();
        var tar = new RawTar().Pax('x', RawTar.Record("atime", "1700000500.25")).Entry("later", "1")
            .Pax('x', RawTar.Record("atime", "1600000000")).Entry("earlier", "1").Entry("none", "1").End().ToArray();
        lab.Add(tar);
        var times = ((string[])["later", "earlier", "none"]).Select(name => Libc.Stat(Path.Combine(lab.DiffOf(0), name)).AccessTime);
        Assert.Equal([new TimeSpec(1_700_000_500, 250_000_000), new TimeSpec(1_700_000_000, 0), new TimeSpec(1_700_000_000, 0)], times);
    }

    [SkippableFact]
    public void Default_acls_are_set_last_and_nothing_inherits_them()
    {
        using var lab = new LayerLab();
        // Version 2; user::rwx, user:1000:rwx, group::r-x, mask::rwx, other::r-x.
        const string acl = "\u0002\0\0\0\u0001\0\u0007\0\u00ff\u00ff\u00ff\u00ff\u0002\0\u0007\0\u00e8\u0003\0\0\u0004\0\u0005\0\u00ff\u00ff\u00ff\u00ff\u0010\0\u0007\0\u00ff\u00ff\u00ff\u00ff \0\u0005\0\u00ff\u00ff\u00ff\u00ff";
        lab.Add(new LayerTar().Dir("d", xattrs: ("system.posix_acl_default", acl)).File("d/f", "x", 0x1a4).Dir("d/e", 0x1ed));
        var tree = lab.See(SnapshotParts.Mode | SnapshotParts.Xattrs);
        Assert.Contains("system.posix_acl_default", tree.LineOf("d"), StringComparison.Ordinal);
        Assert.Equal("./d/f file 0644 1", tree.LineOf("d/f"));
        Assert.Equal("./d/e dir 0755", tree.LineOf("d/e"));
    }
}
