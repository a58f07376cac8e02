using System.Buffers.Binary;
using System.Runtime.Serialization;
using System.Text;
using System.Text.Json;
using StorageActors.Archive.Digests;
using StorageActors.Catalog;
using StorageActors.Journal;
using StorageActors.Protocol;
using StorageActors.Records;
using StorageActors.Store;
using Xunit;

namespace StorageActors.EngineTests.Journal;

/// <summary>The snapshot of a large store, byte by byte.</summary>
public sealed class PackedSnapshotTests
{
    private const string Manifest = "catalog-4";
    private const int Build = 8;
    private const int Count = 24;
    private const int Damaged = 28;
    private const int Sum = 32;
    private const int Order = 40;
    private const int Ends = 41;

    private static readonly Digest Some = Digest.Of("some"u8);
    private static readonly Dictionary<string, string> Labels = new(StringComparer.Ordinal) { ["k"] = "v \u00e4 \u2028" };
    private static readonly LayerRecord Bare = Layer("ab");

    private static readonly LayerRecord Full = new(
        LayerId.Parse("cd"), LayerId.Parse("ab"), LayerKind.Sealed, ["one", "tw\u00f6"], Labels, DateTimeOffset.UnixEpoch, Some, Some, Some, 0, LayerCompression.Zstd, long.MaxValue, 3, [0, 1000], [],
        ["w"], "d", null, [new BigDataItem("config", 2, Some)], [new IdRange(0, 100_000, 65_536)]);

    private static readonly ImageRecord Image = new(ImageId.Of(Some), ["x:latest"], [LayerId.Parse("cd")], Labels, DateTimeOffset.UnixEpoch, Some, [new BigDataItem("config", 2, Some)]);

    /// <summary>Both layers and the image, packed by a version that packed them as <c>catalog-2</c>.</summary>
    private const string SecondRow = """
        NWRvGNz7tWtEDc+kmivmCzGIN8t52Vj4AgAAAF8AAABDAwAAAAIAYWJ7ImlkIjoiYWIiLCJraW5kIjoid3JpdGFibGUiLCJuYW1lcyI6W10sImxhYmVscyI6e30sImNyZWF0ZWQiOiIxOTcwLTAxLTAxVDAwOjAw
        OjAwKzAwOjAwIn0HAgJjZGFiprRt0NGuXobLyPN+dc7rZ2AjDByk/7ywyXuW3X2cRkt7ImlkIjoiY2QiLCJwYXJlbnQiOiJhYiIsImtpbmQiOiJzZWFsZWQiLCJuYW1lcyI6WyJvbmUiLCJ0d1x1MDBGNiJdLCJs
        YWJlbHMiOnsiayI6InYgXHUwMEU0IFx1MjAyOCJ9LCJjcmVhdGVkIjoiMTk3MC0wMS0wMVQwMDowMDowMCswMDowMCIsImRpZmZJZCI6InNoYTI1NjphNmI0NmRkMGQxYWU1ZTg2Y2JjOGYzN2U3NWNlZWI2NzYw
        MjMwYzFjYTRmZmJjYjBjOTdiOTZkZDdkOWM0NjRiIiwiY2hhaW5JZCI6InNoYTI1NjphNmI0NmRkMGQxYWU1ZTg2Y2JjOGYzN2U3NWNlZWI2NzYwMjMwYzFjYTRmZmJjYjBjOTdiOTZkZDdkOWM0NjRiIiwiYmxv
        YkRpZ2VzdCI6InNoYTI1NjphNmI0NmRkMGQxYWU1ZTg2Y2JjOGYzN2U3NWNlZWI2NzYwMjMwYzFjYTRmZmJjYjBjOTdiOTZkZDdkOWM0NjRiIiwiYmxvYlNpemUiOjAsImNvbXByZXNzaW9uIjoienN0ZCIsInNp
        emUiOjkyMjMzNzIwMzY4NTQ3NzU4MDcsImVudHJpZXMiOjMsInVpZHMiOlswLDEwMDBdLCJnaWRzIjpbXSwid2FybmluZ3MiOlsidyJdLCJkYW1hZ2UiOiJkIiwiYmlnRGF0YSI6W3sia2V5IjoiY29uZmlnIiwi
        c2l6ZSI6MiwiZGlnZXN0Ijoic2hhMjU2OmE2YjQ2ZGQwZDFhZTVlODZjYmM4ZjM3ZTc1Y2VlYjY3NjAyMzBjMWNhNGZmYmNiMGM5N2I5NmRkN2Q5YzQ2NGIifV0sInVpZG1hcCI6W3siY29udGFpbmVySWQiOjAs
        Imhvc3RJZCI6MTAwMDAwLCJzaXplIjo2NTUzNn1dfVt7ImlkIjoiYTZiNDZkZDBkMWFlNWU4NmNiYzhmMzdlNzVjZWViNjc2MDIzMGMxY2E0ZmZiY2IwYzk3Yjk2ZGQ3ZDljNDY0YiIsIm5hbWVzIjpbIng6bGF0
        ZXN0Il0sImxheWVycyI6WyJjZCJdLCJsYWJlbHMiOnsiayI6InYgXHUwMEU0IFx1MjAyOCJ9LCJjcmVhdGVkIjoiMTk3MC0wMS0wMVQwMDowMDowMCswMDowMCIsIm1hbmlmZXN0RGlnZXN0Ijoic2hhMjU2OmE2
        YjQ2ZGQwZDFhZTVlODZjYmM4ZjM3ZTc1Y2VlYjY3NjAyMzBjMWNhNGZmYmNiMGM5N2I5NmRkN2Q5YzQ2NGIiLCJiaWdEYXRhIjpbeyJrZXkiOiJjb25maWciLCJzaXplIjoyLCJkaWdlc3QiOiJzaGEyNTY6YTZi
        NDZkZDBkMWFlNWU4NmNiYzhmMzdlNzVjZWViNjc2MDIzMGMxY2E0ZmZiY2IwYzk3Yjk2ZGQ3ZDljNDY0YiJ9XX1d
        """;

    /// <summary>The same, packed as <c>catalog-3</c>.</summary>
    private const string ThirdRow = """
        2vI6a3gziG+gyR7Y4dCdChIjPlbtYb4UAgAAAAEAAAAJN+eFmrxB7wE+AAAAtgIAAAACAGFieyJraW5kIjoid3JpdGFibGUiLCJjcmVhdGVkIjoiMTk3MC0wMS0wMVQwMDowMDowMCswMDowMCJ9BwICY2Rh
        Yqa0bdDRrl6Gy8jzfnXO62dgIwwcpP+8sMl7lt19nEZLeyJraW5kIjoic2VhbGVkIiwibmFtZXMiOlsib25lIiwidHdcdTAwRjYiXSwibGFiZWxzIjp7ImsiOiJ2IFx1MDBFNCBcdTIwMjgifSwiY3JlYXRl
        ZCI6IjE5NzAtMDEtMDFUMDA6MDA6MDArMDA6MDAiLCJkaWZmSWQiOiJzaGEyNTY6YTZiNDZkZDBkMWFlNWU4NmNiYzhmMzdlNzVjZWViNjc2MDIzMGMxY2E0ZmZiY2IwYzk3Yjk2ZGQ3ZDljNDY0YiIsImJs
        b2JEaWdlc3QiOiJzaGEyNTY6YTZiNDZkZDBkMWFlNWU4NmNiYzhmMzdlNzVjZWViNjc2MDIzMGMxY2E0ZmZiY2IwYzk3Yjk2ZGQ3ZDljNDY0YiIsImJsb2JTaXplIjowLCJjb21wcmVzc2lvbiI6InpzdGQi
        LCJzaXplIjo5MjIzMzcyMDM2ODU0Nzc1ODA3LCJlbnRyaWVzIjozLCJ1aWRzIjpbMCwxMDAwXSwiZ2lkcyI6W10sIndhcm5pbmdzIjpbInciXSwiZGFtYWdlIjoiZCIsImJpZ0RhdGEiOlt7ImtleSI6ImNv
        bmZpZyIsInNpemUiOjIsImRpZ2VzdCI6InNoYTI1NjphNmI0NmRkMGQxYWU1ZTg2Y2JjOGYzN2U3NWNlZWI2NzYwMjMwYzFjYTRmZmJjYjBjOTdiOTZkZDdkOWM0NjRiIn1dLCJ1aWRtYXAiOlt7ImNvbnRh
        aW5lcklkIjowLCJob3N0SWQiOjEwMDAwMCwic2l6ZSI6NjU1MzZ9XX1beyJpZCI6ImE2YjQ2ZGQwZDFhZTVlODZjYmM4ZjM3ZTc1Y2VlYjY3NjAyMzBjMWNhNGZmYmNiMGM5N2I5NmRkN2Q5YzQ2NGIiLCJu
        YW1lcyI6WyJ4OmxhdGVzdCJdLCJsYXllcnMiOlsiY2QiXSwibGFiZWxzIjp7ImsiOiJ2IFx1MDBFNCBcdTIwMjgifSwiY3JlYXRlZCI6IjE5NzAtMDEtMDFUMDA6MDA6MDArMDA6MDAiLCJtYW5pZmVzdERp
        Z2VzdCI6InNoYTI1NjphNmI0NmRkMGQxYWU1ZTg2Y2JjOGYzN2U3NWNlZWI2NzYwMjMwYzFjYTRmZmJjYjBjOTdiOTZkZDdkOWM0NjRiIiwiYmlnRGF0YSI6W3sia2V5IjoiY29uZmlnIiwic2l6ZSI6Miwi
        ZGlnZXN0Ijoic2hhMjU2OmE2YjQ2ZGQwZDFhZTVlODZjYmM4ZjM3ZTc1Y2VlYjY3NjAyMzBjMWNhNGZmYmNiMGM5N2I5NmRkN2Q5YzQ2NGIifV19XQ==
        """;

    private static byte[] Bytes => PackedSnapshot.Write(new CatalogEvent.Snapshot([Bare, Full], [Image]));

    [Fact]
    public void It_has_these_bytes()
    {
        var bytes = Bytes;
        var (bare, full, image) = (Rest(Bare), Rest(Full), $"[{JsonSerializer.Serialize(Image, JournalJson.TypeOf(typeof(ImageRecord)).Options)}]");
        var (digest, epoch) = (Convert.FromHexString(Some.Hex), BitConverter.GetBytes(DateTimeOffset.UnixEpoch.UtcTicks));
        byte[] first = [64, 2, .. "ab"u8, .. epoch, .. bare];
        byte[] second = [255, 2, .. "cd"u8, 2, .. "ab"u8, .. digest, .. digest, .. digest, .. epoch, .. full];
        Assert.Equal("{}"u8, bare);

        Assert.Equal(Crc64.Compute(bytes.AsSpan(Build)), BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        Assert.Equal(PackedSnapshot.Build, new Guid(bytes.AsSpan(Build, 16)));
        Assert.DoesNotContain(PackedSnapshot.Build, new[] { typeof(PackedSnapshot).Module.ModuleVersionId, typeof(LayerRecord).Module.ModuleVersionId, Guid.Empty });
        Assert.Equal([2, 1], Enumerable.Range(0, 2).Select(i => BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(Count + (4 * i)))));
        Assert.Equal(NameSum.None.With("ab"u8).With("cd"u8).Sum, BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(Sum)));
        Assert.Equal(1, bytes[Order]);
        Assert.Equal([first.Length, first.Length + second.Length], Enumerable.Range(0, 2).Select(i => BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(Ends + (4 * i)))));
        Assert.Equal([.. first, .. second, .. Encoding.UTF8.GetBytes(image)], bytes[(Ends + 8)..]);
    }

    [Fact]
    public void A_snapshot_is_packed_where_it_was_asked_for()
    {
        var layers = Enumerable.Range(0, 300).Select(static number => Layer($"layer-{number}")).ToArray();
        Assert.Equal("catalog-1", JournalRows.ManifestOf(new CatalogEvent.Snapshot(layers, [])));
        Assert.Equal((byte)'{', JournalRows.Write(new CatalogEvent.Snapshot(layers, []))[0]);

        var large = new CatalogEvent.Snapshot(layers, [Image]) { IsPacked = true };
        Assert.Equal(Manifest, JournalRows.ManifestOf(large));
        var read = Read(JournalRows.Write(large));
        Assert.IsType<PackedLayers>(read.Layers);
        Assert.Equivalent(large, read, strict: true);
        Assert.True(PackedSnapshot.IsOutdated(large));
        Assert.False(PackedSnapshot.IsOutdated(read));
    }

    [Fact]
    public void What_was_written_is_read_when_it_is_asked_for()
    {
        var read = Read(Bytes);
        var layers = Assert.IsType<PackedLayers>(read.Layers);
        Assert.Equivalent(new[] { Image }, read.Images, strict: true);
        Assert.Equivalent(new[] { Bare, Full }, layers, strict: true);
        Assert.Same(layers[1], layers[1]);
        Assert.Equal([false, true], new[] { layers.IsDamaged(0), layers.IsDamaged(1) });
        Assert.Equal("cd", layers.FindName("tw\u00f6"));
        Assert.Equal(["cd"], layers.FindChain(Some.Value));
        Assert.Equal(["cd"], layers.FindChildren("ab"));
        Assert.Null(layers.FindChildren("cd"));
        Assert.Equal(["ab"], layers.FindPrefix("a"));
        Assert.Equal(Bytes, PackedSnapshot.Write(read));
        Assert.Empty(Read(PackedSnapshot.Write(new CatalogEvent.Snapshot([], []))).Layers);
    }

    /// <summary>A digest's id is 32 bytes, which are no other id's; a time that is not said in UTC stays as it is said.</summary>
    [Fact]
    public void Ids_and_times_come_back_as_they_were()
    {
        string[] ids =
        [
            Some.Hex, Some.Hex.ToUpperInvariant(), Some.Hex[..63] + "g", Some.Hex[..62], new('a', 32), new('a', 33), new('a', 128), new('0', 64), "00", "a.b_c-d", $"{Some.Hex}00",
        ];
        var east = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.FromHours(2));
        var layers = ids.Select((id, i) => Layer(id) with { Parent = LayerId.Parse(ids[(i + 1) % ids.Length]), Created = i % 2 == 0 ? east : DateTimeOffset.MaxValue - TimeSpan.FromTicks(i) }).ToArray();
        var table = Assert.IsType<PackedLayers>(Read(PackedSnapshot.Write(new CatalogEvent.Snapshot(layers, []))).Layers);
        Assert.Equivalent(layers, table, strict: true);
        Assert.Equal(layers.Select(static layer => layer.Created.Offset), table.Select(static layer => layer.Created.Offset));
        Assert.All(ids, (id, i) =>
        {
            Assert.Equal(i, table.RowOf(id));
            Assert.Equal(id, table.IdOf(i));
            Assert.Equal([id], table.FindPrefix(id).Where(found => found == id));
            Assert.Equal([id], table.FindChildren(ids[(i + 1) % ids.Length]));
        });
        Assert.All((string[])["", "a", Some.Hex[..60], new('a', 129), "\u00e4", new('\u00e4', 128), new('b', 64)], id => Assert.Null(table.RowOf(id)));
        Assert.Equal(1 + 33 + 8 + 2, PackedSizeOf(Layer(Some.Hex)));
    }

    /// <summary>A digest's id as text would be found by nobody who looks for it, and could be there twice.</summary>
    [Fact]
    public void An_id_has_one_form()
    {
        var (digest, other) = (Encoding.UTF8.GetBytes(Some.Hex), Encoding.UTF8.GetBytes(Some.Hex.ToUpperInvariant()));
        foreach (var layer in new[] { Layer(Some.Hex.ToUpperInvariant()), Bare with { Parent = LayerId.Parse(Some.Hex.ToUpperInvariant()) } })
        {
            var bytes = PackedSnapshot.Write(new CatalogEvent.Snapshot([layer], []));
            var at = bytes.AsSpan().IndexOf(other);
            Assert.Single(Read(bytes).Layers);
            Refused(Forged(forged => digest.CopyTo(forged, at), bytes));
        }
    }

    /// <summary>What stands beside a record's JSON is not overruled by it.</summary>
    [Fact]
    public void Json_says_nothing_of_what_stands_beside_it()
    {
        var lead = new RecordLead(LayerId.Parse("ab"), LayerId.Parse("cd"), LayerKind.Sealed, DateTimeOffset.UnixEpoch, Some, Some);
        var json = $$"""{"id":"x1","parent":null,"kind":"writable","created":"2026-01-01T00:00:00+00:00","diffId":null,"chainId":null,"blobDigest":"{{Some}}","size":3}""";
        var record = LayerRecordJson.ReadRest(Encoding.UTF8.GetBytes(json), lead);
        Assert.Equal(("ab", "cd", LayerKind.Sealed, DateTimeOffset.UnixEpoch, 3), (record.Id.Value, record.Parent?.Value, record.Kind, record.Created, record.Size));
        Assert.Equal((Some, Some, null), (record.DiffId, record.ChainId, record.BlobDigest));
    }

    [Fact]
    public void A_layer_is_the_same_for_all_who_ask_at_once()
    {
        var layers = Enumerable.Range(0, 500).Select(static number => Layer($"layer-{number}")).ToArray();
        var read = Read(PackedSnapshot.Write(new CatalogEvent.Snapshot(layers, []))).Layers;
        var found = new IReadOnlyList<LayerRecord>[8];
        Parallel.For(0, found.Length, one => found[one] = [.. read]);
        Assert.All(found, one => Assert.All(one.Zip(found[0]), static pair => Assert.Same(pair.First, pair.Second)));
    }

    [Fact]
    public void Bytes_that_are_missing_or_changed_are_an_error()
    {
        var bytes = Bytes;
        for (var at = 0; at < bytes.Length; at++)
        {
            Refused(bytes[..at]);
            Refused([.. bytes[..at], (byte)(bytes[at] ^ 0x10), .. bytes[(at + 1)..]]);
        }

        Refused([.. bytes, 0]);
    }

    /// <summary>With a checksum that is right: what a defect or somebody hostile would write.</summary>
    [Fact]
    public void Numbers_that_cannot_be_are_an_error()
    {
        foreach (var number in new[] { -1, 1, 3, 1 << 20, int.MaxValue, int.MinValue })
        {
            Refused(Forged(bytes => BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(Count), number)));
            Refused(Forged(bytes => BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(Ends), number)));
            Refused(Forged(bytes => BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(Ends + 4), number)));
        }

        for (var length = Ends; length < Bytes.Length; length++) Refused(Forged(static _ => { }, Bytes[..length]));
        var first = Ends + 8;
        Refused(Forged(bytes => bytes[first + 1] = 255));      // the length of its id
        Refused(Forged(bytes => bytes[first + 1] = 0));
        Refused(Forged(bytes => bytes[first + 2] = (byte)'.')); // its id
        var second = first + BinaryPrimitives.ReadInt32LittleEndian(Bytes.AsSpan(Ends));
        Refused(Forged(bytes => bytes[second + 4] = 255));     // the length of a parent's id
        Refused(Forged(bytes => bytes[second + 5] = (byte)'-')); // the id
        Refused(Forged(bytes => (bytes[Build], bytes[first + 11]) = ((byte)(bytes[Build] ^ 1), 255))); // a time before all times
        Refused(Forged(bytes => bytes[^1] = (byte)'x'));       // the images
    }

    /// <summary>No catalog has one, so in what this build wrote it is found out when a layer is looked for.</summary>
    [Fact]
    public void A_layer_that_is_there_twice_is_an_error()
    {
        var twice = PackedSnapshot.Write(new CatalogEvent.Snapshot([Bare, Bare], []));
        Refused(Forged(static bytes => bytes[Build] ^= 1, twice.ToArray()));
        var table = Assert.IsType<PackedLayers>(Read(twice).Layers);
        for (var i = 0; i < 2; i++) Assert.True(JournalFailure.IsUnreadable(Assert.Throws<StorageException>(() => table.RowOf("ab"))));
        Assert.Throws<SerializationException>(() => JournalRows.Read(JournalRows.Write(new CatalogEvent.Snapshot([Bare, Bare], [])), "catalog-1"));
    }

    /// <summary>Records of another build are all read at once: it may write what this one cannot read.</summary>
    [Fact]
    public void What_another_build_wrote_is_read_at_once()
    {
        var read = Read(Forged(static bytes => bytes[Build] ^= 1));
        Assert.Equivalent(new[] { Bare, Full }, read.Layers, strict: true);
        Assert.True(Assert.IsType<PackedLayers>(read.Layers).WasReadAtOnce);

        var compression = Bytes.AsSpan().IndexOf("zstd"u8);
        Refused(Forged(bytes => (bytes[Build], bytes[compression]) = ((byte)(bytes[Build] ^ 1), (byte)'x'))); // one that this one does not know
        foreach (var has in (byte[])[2, 4]) Refused(Forged(bytes => (bytes[Build], bytes[Ends + 8]) = ((byte)(bytes[Build] ^ 1), (byte)(bytes[Ends + 8] | has)))); // says that it has names, or a damage
        foreach (var at in new[] { Damaged, Sum, Sum + 7, Order }) Refused(Forged(bytes => (bytes[Build], bytes[at]) = ((byte)(bytes[Build] ^ 1), (byte)(bytes[at] ^ 1))));
    }

    /// <summary>As it was packed before; these rows were written then.</summary>
    [Theory]
    [InlineData("catalog-2", SecondRow, 28)]
    [InlineData("catalog-3", ThirdRow, Ends)]
    public void What_an_earlier_version_packed_is_read_and_outdated(string manifest, string text, int ends)
    {
        var row = Convert.FromBase64String(text);
        var read = Assert.IsType<CatalogEvent.Snapshot>(JournalRows.Read(row, manifest));
        Assert.Equivalent(new[] { Bare, Full }, read.Layers, strict: true);
        Assert.Equivalent(new[] { Image }, read.Images, strict: true);
        Assert.True(read.IsPacked);
        Assert.True(PackedSnapshot.IsOutdated(read));

        for (var at = 0; at < row.Length; at++)
        {
            Assert.Throws<SerializationException>(() => JournalRows.Read(row[..at], manifest));
            Assert.Throws<SerializationException>(() => JournalRows.Read(Forged(static _ => { }, row[..Math.Max(at, Build)]), manifest));
        }

        var id = ends + 8 + 3;
        Assert.Throws<SerializationException>(() => JournalRows.Read(Forged(bytes => bytes[id] = manifest == "catalog-2" ? (byte)'b' : (byte)'.', row.ToArray()), manifest)); // Another's, or none.
        Assert.Throws<SerializationException>(() => JournalRows.Read(Forged(bytes => bytes[ends] ^= 1, row.ToArray()), manifest));                                            // Where it ends.
    }

    [Fact]
    public void Only_records_that_are_asked_for_are_read()
    {
        var layers = Assert.IsType<PackedLayers>(Read(PackedSnapshot.Write(new CatalogEvent.Snapshot([Bare, Full with { Damage = null }, Layer("ef"), Layer("gh")], []))).Layers);
        var catalog = CatalogState.Empty.Apply(new CatalogEvent.Snapshot(layers, []));
        Assert.Equal(["ab", "cd", "ef", "gh"], catalog.LayerIds().Order(StringComparer.Ordinal));
        Assert.Equal(["cd"], catalog.ChildrenOf(Bare.Id).Select(static id => id.Value));
        Assert.Empty(catalog.DamagedLayers());
        Assert.Equal(new[] { "ab", "cd", "ef", "gh" }.Aggregate(NameSum.None, static (sum, id) => sum.With(Encoding.UTF8.GetBytes(id))), catalog.SumOfLayerIds());
        Assert.Equal(0, layers.CountRead);

        Assert.Equal("ef", catalog.FindLayer(LayerId.Parse("ef"))!.Id.Value);
        Assert.Equal("ef", catalog.FindLayer(LayerId.Parse("ef"))!.Id.Value);
        Assert.Equal(1, layers.CountRead);
        Assert.Equal("cd", catalog.FindLayerName("one")?.Value);
        Assert.Equal(2, layers.CountRead); // Of all that have names.
        Assert.Equal(4, catalog.ListLayers().Count);
        Assert.Equal(4, layers.CountRead);
    }

    /// <summary>As from a build that takes itself for this one: it is found out when the record is asked for.</summary>
    [Fact]
    public void A_record_that_cannot_be_read_when_it_is_asked_for_is_damage_of_the_journal()
    {
        var at = Bytes.AsSpan().IndexOf("zstd"u8);
        var layers = Read(Forged(bytes => bytes[at] = (byte)'x')).Layers;
        var error = Assert.Throws<StorageException>(() => layers[1]).Error;
        Assert.Equal(StorageErrorCode.Damaged, error.Code);
        Assert.Contains("layer cd", error.Message, StringComparison.Ordinal);
        Assert.Contains("rebuild", error.Message, StringComparison.Ordinal);
        Assert.Equal("ab", layers[0].Id.Value);
    }

    private static LayerRecord Layer(string id) =>
        new(LayerId.Parse(id), null, LayerKind.Writable, [], new Dictionary<string, string>(StringComparer.Ordinal), DateTimeOffset.UnixEpoch);

    /// <summary>How many bytes a layer takes, besides the number where they end.</summary>
    private static int PackedSizeOf(LayerRecord layer) => PackedSnapshot.Write(new CatalogEvent.Snapshot([layer], [])).Length - PackedSnapshot.Write(new CatalogEvent.Snapshot([], [])).Length - 4;

    /// <summary>The record without what stands before it, and without empty lists.</summary>
    private static byte[] Rest(LayerRecord layer)
    {
        var json = JsonSerializer.SerializeToNode(layer, JournalJson.TypeOf(typeof(LayerRecord)).Options)!.AsObject();
        foreach (var name in (string[])["id", "parent", "kind", "created", "diffId", "chainId", "blobDigest"]) json.Remove(name);
        if (layer.Names.Count == 0) json.Remove("names");
        if (layer.Labels.Count == 0) json.Remove("labels");
        return Encoding.UTF8.GetBytes(json.ToJsonString());
    }

    private static byte[] Forged(Action<byte[]> change, byte[]? from = null)
    {
        var bytes = from ?? Bytes;
        change(bytes);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, Crc64.Compute(bytes.AsSpan(Build)));
        return bytes;
    }

    private static CatalogEvent.Snapshot Read(byte[] bytes) => Assert.IsType<CatalogEvent.Snapshot>(JournalRows.Read(bytes, Manifest));

    private static void Refused(byte[] bytes)
    {
        var error = Assert.Throws<SerializationException>(() => JournalRows.Read(bytes, Manifest));
        Assert.Contains(Manifest, error.Message, StringComparison.Ordinal);
    }
}
