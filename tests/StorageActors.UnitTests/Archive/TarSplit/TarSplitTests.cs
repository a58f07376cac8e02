using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;
using StorageActors.Archive.Digests;
using StorageActors.Archive.Tar;
using StorageActors.Archive.TarSplit;
using StorageActors.Protocol;
using Xunit;
using static StorageActors.UnitTests.Archive.RawTar;

namespace StorageActors.UnitTests.Archive.TarSplit;

public sealed class TarSplitTests
{
    [Fact]
    public void Lines_are_worded_as_peers_word_them()
    {
        using var run = new ArchiveRun(new RawTar().Entry("d/", type: '5').Entry("a", "hello\n").Entry("<\"&\\>\u00e2\u0080\u00a8\u0001\n").Entry("\u00ff", "x").End().ToArray());
        var archive = run.Archive;
        string[] expected =
        [
            Segment(0, archive[..512]), """{"type":1,"name":"d/","payload":null,"position":1}""",
            Segment(2, archive[512..1024]), """{"type":1,"name":"a","size":6,"payload":"YUw+7uLYEAA=","position":3}""",
            Segment(4, [.. archive[1030..1536], .. archive[1536..2048]]),
            """{"type":1,"name":"\u003c\"\u0026\\\u003e\u2028\u0001\n","payload":null,"position":5}""",
            Segment(6, archive[2048..2560]),
            $$"""{"type":1,"name_raw":"/w==","size":1,"payload":"{{Crc("x")}}","position":7}""",
            Segment(8, archive[2561..]),
        ];
        Assert.Equal(expected, Lines(run.Record));
    }

    [Fact]
    public void Long_runs_of_raw_bytes_become_segments_of_a_mebibyte()
    {
        var trailing = new byte[2_500_000];
        new Random(1).NextBytes(trailing);
        using var run = new ArchiveRun(new RawTar().Entry("a").End().Raw(trailing).ToArray());
        var segments = Lines(run.Record).Select(line => JsonDocument.Parse(line).RootElement).Skip(3).Select(json => json.GetProperty("payload").GetBytesFromBase64());
        Assert.Equal([1 << 20, 1 << 20, 2_500_000 - (2 << 20)], segments.Select(bytes => bytes.Length));
        Assert.Equal(run.Archive, run.Assemble());
    }

    [Fact]
    public void Ordinary_archives_need_nothing_but_the_lines_that_peers_know()
    {
        using var run = new ArchiveRun(new RawTar().Entry("a", "1").Entry("b", type: '1', link: "a").Entry("c", "2").End().ToArray());
        Assert.Equal(["a", "b", "c"], Files(run.Record).Select(file => file.Name));
    }

    [Fact]
    public void A_name_that_comes_twice_is_listed_once_and_both_contents_come_back()
    {
        var tar = new RawTar().Entry("a", "first").Entry("dir/", type: '5').Entry("b", "b").Entry("./a", "second, longer").Entry("dir", type: '5').End();
        using var run = new ArchiveRun(tar.ToArray());
        Assert.Equal(["dir/", "b"], Files(run.Record).Select(file => file.Name));
        Assert.Equal(tar.ToArray(), run.Assemble());
        using var emptyFirst = new ArchiveRun(new RawTar().Entry("a").Entry("a", "later").End().ToArray());
        Assert.Equal([("a", 0L)], Files(emptyFirst.Record));
        Assert.Equal(emptyFirst.Archive, emptyFirst.Assemble());
    }

    [Fact]
    public void Payloads_that_no_file_of_that_name_will_have_are_kept_in_the_record()
    {
        using var run = new ArchiveRun(new RawTar().Entry("a", "data").Entry("b", "data", '1', link: "a").Entry("v", "label", 'V').End().ToArray());
        Assert.Equal([("a", 4L), ("b", 0L), ("v", 0L)], Files(run.Record));
        Assert.Equal(run.Archive, run.Assemble());
    }

    [Fact]
    public void An_extractor_can_have_the_payload_of_the_current_entry_kept()
    {
        var archive = new RawTar().Entry("skipped", new string('s', 3_000_000)).Entry("b", "b").End().ToArray();
        using var record = new MemoryStream();
        using var writer = new TarSplitWriter(record, () => throw new InvalidOperationException("no temporary file is needed"));
        var reader = new TarReader(new ChunkedSource(archive, 4096), sink: writer);
        while (reader.MoveNext())
            if (reader.Current.Name.SequenceEqual("skipped"u8)) writer.KeepPayload();
        writer.Complete();
        using var files = new OneFile("b");
        Assert.Equal(Digest.Of(archive), TarSplitAssembler.Assemble(Rewound(record), files, Stream.Null).Digest);
    }

    [Fact]
    public void Random_archives_with_repeated_names_come_back()
    {
        var random = new Random(77);
        for (var round = 0; round < 60; round++)
        {
            var tar = new RawTar();
            for (var count = random.Next(1, 40); count > 0; count--)
            {
                var name = new string((char)('a' + random.Next(12)), 1 + random.Next(2));
                var content = new string((char)('A' + random.Next(26)), random.Next(3) == 0 ? random.Next(5000) : random.Next(4));
                if (random.Next(4) == 0) tar.Entry("dir" + random.Next(3) + "/", type: '5');
                else tar.Entry((random.Next(3) == 0 ? "./" : "") + name, content);
            }

            using var run = new ArchiveRun(tar.End(random.Next(4)).ToArray());
            Assert.Equal(run.Archive, run.Assemble());
            var names = Files(run.Record).Select(file => file.Name.Replace("./", "", StringComparison.Ordinal)).ToArray();
            Assert.Equal(names.Distinct(StringComparer.Ordinal), names);
        }
    }

    [Fact]
    public void An_abandoned_record_writes_nothing_more()
    {
        var record = new MemoryStream();
        var writer = new TarSplitWriter(record, () => throw new InvalidOperationException("no temporary file is needed"));
        var reader = new TarReader(new ChunkedSource(new RawTar().Entry("a", "x").Entry("b").ToArray(), 4096), sink: writer);
        Assert.True(reader.MoveNext() && reader.MoveNext());
        record.Dispose();   // as when the disk is full: another write would throw, and hide what went wrong first
        writer.Dispose();
    }

    [Fact]
    public void A_file_that_is_not_what_it_was_is_named()
    {
        using var run = new ArchiveRun(new RawTar().Entry("good", "g").Entry("b\u0001d", "expected").End().ToArray());
        foreach (var content in (string[])["expecteD", "expecte", ""])
        {
            using var files = new OneFile(content);
            var error = Assert.Throws<TarSplitException>(() => TarSplitAssembler.Assemble(new MemoryStream(run.Record), new Alternating(run, files), Stream.Null));
            Assert.Equal("b\\x01d", error.EntryName);
        }
    }

    [Fact]
    public void Another_digest_than_recorded_is_an_error()
    {
        using var run = new ArchiveRun(new RawTar().Entry("a", "x").End().ToArray());
        Assert.Throws<TarSplitException>(() => TarSplitAssembler.Assemble(new MemoryStream(run.Record), run, Stream.Null, Digest.EmptyLayer));
    }

    [Fact]
    public void A_damaged_record_is_an_error()
    {
        using var run = new ArchiveRun(new RawTar().Entry("a", "content").Entry("b", "c").End().ToArray());
        for (var length = 0; length < run.Record.Length; length += 3) Fails(run.Record[..length]);
        foreach (var text in (string[])["x", "{", "[]", "{\"type\":3,\"payload\":null,\"position\":0}", "{\"type\":2,\"payload\":\"*\",\"position\":0}",
            "{\"type\":2,\"payload\":7,\"position\":0}", "{\"type\":1,\"name\":\"a\",\"size\":5,\"payload\":null,\"position\":0}",
            "{\"type\":1,\"name\":\"a\",\"size\":-5,\"payload\":\"AAAAAAAAAAA=\",\"position\":0}", "{\"type\":2,\"payload\":\"\",\"position\":1}",
            "{\"type\":1,\"name\":\"\\ud800\",\"payload\":null,\"position\":0}", "{\"type\":\"2\"}", "{\"type\":2,\"payload\":null,\"position\":0} {"])
            Fails(Compress(text));

        void Fails(byte[] record) =>
            Assert.Throws<TarSplitException>(() => TarSplitAssembler.Assemble(new MemoryStream(record), run, Stream.Null, Digest.Of(run.Archive)));
    }

    [Fact]
    public void Lines_of_other_writers_are_understood()
    {
        var record = Compress("\n{ \"position\" : 0, \"future\":{\"a\":[1]}, \"payload\":\"aGk=\", \"type\":2 }\r\n{\"type\":1,\"name\":\"\\u0061\",\"size\":1,\"payload\":\""
            + Crc("x") + "\",\"position\":1}");
        using var output = new MemoryStream();
        using var files = new OneFile("x");
        TarSplitAssembler.Assemble(new MemoryStream(record), files, output);
        Assert.Equal("hix", Encoding.ASCII.GetString(output.ToArray()));
    }

    [Fact]
    public void Headers_are_read_from_the_record_alone()
    {
        using var run = new ArchiveRun(new RawTar()
            .Pax('x', Record("path", "long"), Record("SCHILY.xattr.user.a", "1")).Entry("short", "content")
            .Entry("d", type: '5').Entry("long", "again").Entry("empty")
            .Pax('x', Record("GNU.sparse.size", "30"), Record("GNU.sparse.map", "4,3,10,4")).Entry("s", "abcdefg").Entry("z", "zz").End().ToArray());
        using var headers = new TarSplitHeaders(new MemoryStream(run.Record));
        var seen = new List<(string, long, ulong?)>();
        while (headers.MoveNext()) seen.Add((Encoding.ASCII.GetString(headers.Current.Name), headers.Current.Size, headers.Crc));
        Assert.Equal(
            [
                ("long", 7, Crc64.Compute("content"u8)), ("d", 0, null), ("long", 5, Crc64.Compute("again"u8)), ("empty", 0, null),
                ("s", 30, Crc64.Compute("abcdefg"u8)), ("z", 2, Crc64.Compute("zz"u8)),
            ],
            seen);
    }

    private static string Segment(int position, byte[] bytes) =>
        $$"""{"type":2,"payload":"{{Convert.ToBase64String(bytes)}}","position":{{position}}}""";

    private static string Crc(string content) => Convert.ToBase64String(BitConverter.GetBytes(Crc64.Compute(Latin1(content))).Reverse().ToArray());

    private static byte[] Compress(string text)
    {
        using var bytes = new MemoryStream();
        using (var gzip = new GZipStream(bytes, CompressionLevel.Fastest)) gzip.Write(Encoding.UTF8.GetBytes(text));
        return bytes.ToArray();
    }

    private static string[] Lines(byte[] record)
    {
        using var reader = new StreamReader(new GZipStream(new MemoryStream(record), CompressionMode.Decompress));
        return reader.ReadToEnd().TrimEnd('\n').Split('\n');
    }

    [Fact]
    public void Hashes_that_meet_in_a_plain_set_are_spread()
    {
        // A long's own hash code is its two halves combined: all of these have the same.
        var aimed = Enumerable.Range(0, 100_000).Select(i => ((ulong)i << 32) | (uint)i).ToList();
        Assert.Single(aimed.Select(value => value.GetHashCode()).Distinct());
        var comparer = new NameHashComparer();
        Assert.InRange(aimed.Select(comparer.GetHashCode).Distinct().Count(), 99_000, 100_000);
    }

    private static IEnumerable<(string Name, long Size)> Files(byte[] record) => Lines(record)
        .Select(line => JsonDocument.Parse(line).RootElement)
        .Where(json => json.GetProperty("type").GetInt32() == 1)
        .Select(json => (json.GetProperty("name").GetString()!, json.TryGetProperty("size", out var size) ? size.GetInt64() : 0));

    private static MemoryStream Rewound(MemoryStream stream)
    {
        stream.Position = 0;
        return stream;
    }

    /// <summary>The same content whatever the name.</summary>
    private sealed class OneFile : IPayloadSource, IDisposable
    {
        private readonly string _path = Path.GetTempFileName();

        internal OneFile(string content) => File.WriteAllText(_path, content);

        public SafeFileHandle Open(ReadOnlySpan<byte> name) => File.OpenHandle(_path);

        public void Dispose() => File.Delete(_path);
    }

    private sealed class Alternating(IPayloadSource good, IPayloadSource other) : IPayloadSource
    {
        public SafeFileHandle Open(ReadOnlySpan<byte> name) => name.SequenceEqual("good"u8) ? good.Open(name) : other.Open(name);
    }
}
