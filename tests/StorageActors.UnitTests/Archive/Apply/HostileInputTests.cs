using System.IO.Compression;
using System.Text;
using StorageActors.Archive.Apply;
using StorageActors.Archive.Tar;
using StorageActors.Linux;
using StorageActors.Protocol;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.UnitTests.Archive.Apply;

/// <summary>Archives made to do harm, or damaged on their way: refused with what is wrong and where, and nothing outside the layer is touched.</summary>
public sealed class HostileInputTests
{
    [SkippableTheory]
    [InlineData("../escaped")]
    [InlineData("a/../../escaped")]
    [InlineData("/../escaped")]
    [InlineData("..")]
    public void Names_that_lead_out_are_refused(string name)
    {
        using var lab = new LayerLab();
        Assert.Contains("tar entry 2", Refusal(lab, new LayerTar().File("ok").File(name, "x")).Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(lab.DirectoryOf(0), "escaped")));
    }

    [SkippableTheory]
    [InlineData(Way.Overlay)]
    [InlineData(Way.InPlace)]
    public void Links_that_lead_out_lead_back_inside(Way way)
    {
        using var outside = new TempDirectory();
        using var lab = new LayerLab(way);
        lab.Add(new LayerTar()
            .Symlink("absolute", outside.Path).File("absolute/a", "1")
            .Symlink("upwards", "../../../../../../../../../.." + outside.Path).File("upwards/b", "2")
            .Symlink("first", "second").Symlink("second", outside.Path).File("first/c", "3")
            .Symlink("file", outside["d"]).File("file", "4").Dir("file").Link("absolute/e", "first/c"));
        Assert.Empty(Directory.EnumerateFileSystemEntries(outside.Path));
        Assert.Equal(["a", "b", "c", "e"], Directory.EnumerateFileSystemEntries(lab.DiffOf(0) + outside.Path).Select(Path.GetFileName).Order());
    }

    [SkippableFact]
    public void Directories_replaced_by_links_are_not_followed_later()
    {
        using var outside = new TempDirectory();
        using var lab = new LayerLab();
        lab.Add(new LayerTar().Dir("d").File("d/a", "1").Symlink("d", outside.Path).File("d/b", "2").Dir("d/c").Dir("d", 0x1c0));
        Assert.Empty(Directory.EnumerateFileSystemEntries(outside.Path));
    }

    [SkippableFact]
    public void What_a_download_leaves_that_failed_is_refused_if_it_is_nothing_and_warned_of_if_it_is_a_part()
    {
        using var lab = new LayerLab();
        Assert.Contains("empty", Assert.Throws<LayerApplyException>(() => lab.Add([])).Message, StringComparison.Ordinal);

        var cut = new RawTar().Entry("first", "1").ToArray();
        using var part = new LayerLab();
        Assert.Contains("no end marker", Assert.Single(part.Add(cut).Warnings), StringComparison.Ordinal);
        using var known = new LayerLab();
        Assert.Empty(known.Add(cut, new ExtractOptions { ExpectedDiffId = Digest.Of(cut) }).Warnings);
    }

    [SkippableFact]
    public void Loops_and_endless_chains_of_links_are_refused()
    {
        using var lab = new LayerLab();
        Refusal(lab, new LayerTar().Symlink("a", "b").Symlink("b", "a").File("a/x"));
        using var chain = new LayerLab();
        var tar = new LayerTar();
        for (var i = 0; i < 50; i++) tar.Symlink($"l{i}", $"l{i + 1}");
        Refusal(chain, tar.File("l0/x"));
        using var growing = new LayerLab();
        tar = new LayerTar().Symlink("s", string.Join('/', Enumerable.Repeat("long-name-for-a-directory", 150)));
        Refusal(growing, tar.Symlink("t", "s/" + string.Join('/', Enumerable.Repeat("another-long-name", 150))).File("t/x"));
    }

    [SkippableFact]
    public void Entries_below_a_file_of_the_same_layer_are_refused()
    {
        using var lab = new LayerLab();
        Assert.Contains("\"a\"", Refusal(lab, new LayerTar().File("a").File("a/b/c")).Message, StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData(Way.Overlay)]
    [InlineData(Way.InPlace)]
    public void A_device_that_the_kernel_would_take_for_a_whiteout_is_refused(Way way)
    {
        using var lab = new LayerLab(way);
        lab.Add(new LayerTar().File("a"));
        Assert.Contains("0:0", Refusal(lab, new LayerTar().Device("a", 0, 0)).Message, StringComparison.Ordinal);
        using var numbers = new LayerLab(way);
        Refusal(numbers, new LayerTar().Device("a", 4096, 0));
    }

    [SkippableFact]
    public void Types_and_targets_that_no_layer_has_are_refused()
    {
        using var unknown = new LayerLab();
        Assert.Contains("\"V\"", Refusal(unknown, new RawTar().Entry("a", type: 'V').End().ToArray()).Message, StringComparison.Ordinal);
        using var empty = new LayerLab();
        Refusal(empty, new RawTar().Entry("a", type: '2').End().ToArray());
        using var root = new LayerLab();
        Refusal(root, new RawTar().Entry("./", "x").End().ToArray());
        using var link = new LayerLab();
        Refusal(link, new RawTar().Pax('x', RawTar.Record("linkpath", new string('x', 5000))).Entry("a", type: '2').End().ToArray());
    }

    [SkippableTheory]
    [InlineData("uid")]
    [InlineData("gid")]
    public void Ids_that_mean_nobody_are_refused(string key)
    {
        foreach (var value in (string[])["4294967295", "4294967296", "-1", "9223372036854775807"])
        {
            using var lab = new LayerLab();
            Assert.Equal(StorageErrorCode.BadInput, Refusal(lab, new RawTar().Pax('x', RawTar.Record(key, value)).Entry("a").End().ToArray()).Error.Code);
        }

        using var highest = new LayerLab();
        highest.Add(new RawTar().Pax('x', RawTar.Record(key, "4294967294")).Entry("a").End().ToArray());
    }

    [SkippableFact]
    public void Names_too_long_or_too_deep_are_refused_with_their_entry_number()
    {
        using var name = new LayerLab();
        Assert.Contains("tar entry 2", Refusal(name, new LayerTar().File("ok").File("d/" + new string('x', 256))).Message, StringComparison.Ordinal);
        using var deep = new LayerLab();
        Refusal(deep, new LayerTar().File(string.Join('/', Enumerable.Repeat("d", 1025))));
        using var fits = new LayerLab();
        var tar = new LayerTar().File(string.Join('/', Enumerable.Repeat("d", 1024)), "deep").File(new string('y', 255)).ToArray();
        fits.Add(tar);
        Assert.Equal(tar, fits.Reassemble(0));
    }

    [SkippableFact]
    public void Attributes_that_overlayfs_would_obey_are_kept_where_they_do_no_harm()
    {
        using var lab = new LayerLab();
        lab.Add(new LayerTar().File("secret/x").Dir("d", xattrs: [("trusted.overlay.redirect", "/secret"), ("trusted.overlay.opaque", "y"), ("user.overlay.opaque", "y")]));
        var diff = lab.Handle(lab.DiffOf(0));
        var stored = Libc.ListXattrAt(diff, "d"u8).ToList().Select(Encoding.ASCII.GetString).Order();
        Assert.Equal(["trusted.overlay.overlay.opaque", "trusted.overlay.overlay.redirect"], stored);
        Assert.Contains("user.overlay.opaque", Assert.Single(lab.Warnings), StringComparison.Ordinal);
        lab.Add(new LayerTar().File("other"));
        Assert.Contains("trusted.overlay.redirect=\"/secret\"", lab.See().LineOf("d"), StringComparison.Ordinal);
    }

    [SkippableFact]
    public void Labels_of_another_host_are_ignored_and_refused_attributes_are_warned_of()
    {
        using var lab = new LayerLab();
        lab.Add(new LayerTar().File("a", xattrs: [("security.selinux", "system_u:object_r:bin_t:s0"), ("nonsense.name", "1"), ("user.k", "v")])
            .File("b", xattrs: ("nonsense.name", "1")).Symlink("c", "a", xattrs: ("user.k", "v")));
        Assert.DoesNotContain("selinux", lab.See().LineOf("a"), StringComparison.Ordinal);
        Assert.Contains("user.k=\"v\"", lab.See().LineOf("a"), StringComparison.Ordinal);
        Assert.Equal(2, lab.Warnings.Count);
        Assert.Contains("nonsense.name", lab.Warnings[0], StringComparison.Ordinal);
        Assert.Contains("2 entries, the first is a", lab.Warnings[0], StringComparison.Ordinal);
        Assert.Contains("user.k", lab.Warnings[1], StringComparison.Ordinal);
    }

    [SkippableFact]
    public void An_attribute_too_big_for_the_file_system_is_no_full_disk()
    {
        using var lab = new LayerLab(home: LoopFileSystem.Shared(FileSystemKind.Ext4).NewDirectory());
        var refused = Refusal(lab, new LayerTar().File("a", xattrs: ("user.big", new string('x', 60_000))));
        Assert.Equal(StorageErrorCode.LimitExceeded, refused.Error.Code);
        Assert.Contains("user.big", refused.Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void A_blob_cut_anywhere_is_refused()
    {
        var tar = new LayerTar().File("a", new string('x', 1500)).Dir("d").File("d/b", new string('y', 700)).Symlink("s", "a").ToArray();
        for (var length = 0; length < tar.Length; length += 512)
        {
            using var lab = new LayerLab();
            Refusal(lab, tar[..length], new ExtractOptions { ExpectedDiffId = Digest.Of(tar) });
        }

        foreach (var cut in (int[])[100, 512 + 1000, 512 + 1499, 1024 + 1600])
        {
            using var lab = new LayerLab();
            Assert.Equal(StorageErrorCode.BadInput, Refusal(lab, tar[..cut]).Error.Code);
        }

        var gzip = Gzip(tar);
        for (var length = 1; length < gzip.Length; length += 3)
        {
            using var lab = new LayerLab();
            Assert.Equal(StorageErrorCode.BadInput, Refusal(lab, gzip[..length]).Error.Code);
        }
    }

    [SkippableFact]
    public void Digests_and_sizes_are_expectations_and_each_is_checked()
    {
        var tar = new LayerTar().File("a", "content").ToArray();
        var blob = Gzip(tar);
        var wrong = Digest.Of("something else"u8);
        ExtractOptions[] expectations =
        [
            new() { ExpectedBlobDigest = wrong }, new() { ExpectedDiffId = wrong }, new() { ExpectedDiffId = Digest.Of(blob) },
            new() { ExpectedBlobSize = blob.Length + 1 }, new() { ExpectedBlobSize = blob.Length - 1 },
        ];
        foreach (var options in expectations)
        {
            using var lab = new LayerLab();
            Assert.Equal(StorageErrorCode.DigestMismatch, Refusal(lab, blob, options).Error.Code);
        }

        using var right = new LayerLab();
        right.Add(blob, new ExtractOptions { ExpectedBlobDigest = Digest.Of(blob), ExpectedDiffId = Digest.Of(tar), ExpectedBlobSize = blob.Length });
        Assert.Equal((Digest.Of(tar), Digest.Of(blob), (long)blob.Length, (long)tar.Length), (right.Last.DiffId, right.Last.BlobDigest, right.Last.BlobSize, right.Last.Size));
        Assert.Equal(LayerCompression.Gzip, right.Last.Compression);
    }

    [SkippableFact]
    public void What_follows_the_end_of_the_archive_or_of_the_compressed_data_counts_in_the_digests()
    {
        byte[] tar = [.. new LayerTar().File("a", "x").ToArray(), .. new byte[3000], .. "trailing"u8];
        byte[] blob = [.. Gzip(tar), .. new byte[777]];
        using var lab = new LayerLab();
        lab.Add(blob);
        Assert.Equal((Digest.Of(tar), Digest.Of(blob), (long)blob.Length), (lab.Last.DiffId, lab.Last.BlobDigest, lab.Last.BlobSize));
        Assert.Equal(tar, lab.Reassemble(0));
    }

    [SkippableFact]
    public void A_small_blob_that_becomes_too_large_is_stopped_at_the_limit()
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(new RawTar().Header("bomb"u8.ToArray(), 1L << 33, '0').ToArray());
            var zeros = new byte[1 << 20];
            for (var i = 0; i < 256; i++) gzip.Write(zeros);
        }

        using var lab = new LayerLab();
        Assert.Equal(StorageErrorCode.LimitExceeded, Refusal(lab, packed.ToArray(), new ExtractOptions { MaximumSize = 8 << 20 }).Error.Code);
        Assert.InRange(new FileInfo(Path.Combine(lab.DiffOf(0), "bomb")).Length, 0, 8 << 20);
    }

    [SkippableFact]
    public void Too_many_entries_are_refused()
    {
        var tar = new LayerTar();
        for (var i = 0; i < 20; i++) tar.File("f" + i);
        using var lab = new LayerLab();
        Assert.Equal(StorageErrorCode.LimitExceeded, Refusal(lab, tar.ToArray(), new ExtractOptions { MaximumEntries = 19 }).Error.Code);
    }

    [SkippableFact]
    public void Damaged_archives_are_refused_or_applied_and_nothing_else()
    {
        using var outside = new TempDirectory();
        var random = new Random(20240607);
        var tar = new LayerTar().Dir("d", xattrs: ("user.a", "b")).File("d/a", new string('x', 700)).Symlink("s", outside.Path).File("s/b", "1").Link("l", "d/a")
            .Whiteout("w").Opaque("d").Device("n", 1, 3).File(new string('n', 150), "long", xattrs: ("user.k", "v")).ToArray();
        for (var round = 0; round < 400; round++)
        {
            var damaged = (byte[])tar.Clone();
            for (var n = random.Next(1, 4); n > 0; n--)
            {
                var at = random.Next(damaged.Length);
                damaged[at] = (byte)random.Next(256);
                if (random.Next(2) == 0) Repair(damaged, at / 512 * 512);
            }

            using var lab = new LayerLab(random.Next(2) == 0 ? Way.Overlay : Way.InPlace);
            try
            {
                lab.Add(damaged, new ExtractOptions { MaximumSize = 1 << 20 });
                Assert.Equal(damaged, lab.Reassemble(0, lab.Last.DiffId));
            }
            catch (LayerApplyException)
            {
                // One of the two.
            }
        }

        Assert.Empty(Directory.EnumerateFileSystemEntries(outside.Path));

        static void Repair(byte[] tar, int offset)
        {
            var block = tar.AsSpan(offset, 512).ToArray();
            RawTar.Checksum(block);
            block.CopyTo(tar, offset);
        }
    }

    private static LayerApplyException Refusal(LayerLab lab, LayerTar tar) => Refusal(lab, tar.ToArray());

    private static LayerApplyException Refusal(LayerLab lab, byte[] blob, ExtractOptions? options = null) =>
        Assert.Throws<LayerApplyException>(() => lab.Add(blob, options));

    private static byte[] Gzip(byte[] content)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Optimal)) gzip.Write(content);
        return packed.ToArray();
    }
}
