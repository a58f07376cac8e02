using System.Runtime.Serialization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using StorageActors.Journal;
using StorageActors.Protocol;
using StorageActors.Store;
using Xunit;

namespace StorageActors.EngineTests.Journal;

/// <summary>Records are written and read by hand; the serializer's own way says what is right.</summary>
public sealed class RecordJsonTests
{
    private static readonly JsonSerializerOptions Own = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false) },
    };

    private static readonly Digest Some = Digest.Of("some"u8);
    private static readonly Digest Other = Digest.Of("other"u8);
    private static readonly DateTimeOffset Time = DateTimeOffset.Parse("2026-01-02T03:04:05.1234567+02:00", null);
    private static readonly Dictionary<string, string> Labels = new(StringComparer.Ordinal) { ["a\"b"] = "<&>'\\ \u00e4 \u2028 \U0001F980", [""] = "" };

    private static readonly LayerRecord Bare = new(LayerId.Parse("ab"), null, LayerKind.Writable, [], new Dictionary<string, string>(StringComparer.Ordinal), DateTimeOffset.UnixEpoch);

    private static readonly LayerRecord Full = new(
        LayerId.Parse("a.b_c-D"), LayerId.Parse("below"), LayerKind.Sealed, ["one", "tw\u00f6 \t\n"], Labels, Time, Some, Other, Some, 0, LayerCompression.Zstd,
        long.MaxValue, 3, [0, 1000, uint.MaxValue], [], ["w \u0001", ""], "d", "/some/where",
        [new BigDataItem("config", 2, Some), new BigDataItem("m\u00fc", 0, Other)],
        [new IdRange(0, 100_000, 65_536), new IdRange(65_536, 7, 1)], [new IdRange(0, 0, uint.MaxValue)]);

    private static readonly ImageRecord BareImage = new(
        ImageId.Of(Some), [], [], new Dictionary<string, string>(StringComparer.Ordinal), Time, null, []);

    private static readonly ImageRecord FullImage = new(
        ImageId.Of(Other), ["x:latest", "y"], [LayerId.Parse("ab"), LayerId.Parse("cd")], Labels, Time, Some,
        [new BigDataItem("config", 2, Some), new BigDataItem("m\u00fc", 0, Other)], [Some, Other], "/some/where",
        ["y", "z \u00e4", "x:latest"], Time);

    public static TheoryData<string> Compressions => [.. Enum.GetNames<LayerCompression>()];

    [Fact]
    public void Records_are_written_as_the_serializer_writes_them()
    {
        foreach (var layer in new[] { Bare, Full }) AssertWritten(layer, new CatalogEvent.LayerCommitted(layer), "layer");
        foreach (var image in new[] { BareImage, FullImage }) AssertWritten(image, new CatalogEvent.ImagePut(image), "image");
    }

    [Theory]
    [MemberData(nameof(Compressions))]
    public void Every_compression_has_its_name(string name)
    {
        var layer = Bare with { Compression = Enum.Parse<LayerCompression>(name) };
        AssertWritten(layer, new CatalogEvent.LayerCommitted(layer), "layer");
        Assert.Equal(layer.Compression, Read<CatalogEvent.LayerCommitted>(JournalRows.Write(new CatalogEvent.LayerCommitted(layer)), "layer-committed-1").Layer.Compression);
    }

    [Fact]
    public void What_was_written_is_read()
    {
        var happened = new CatalogEvent.Snapshot([Bare, Full], [BareImage, FullImage]);
        var read = Read<CatalogEvent.Snapshot>(JournalRows.Write(happened), "catalog-1");
        Assert.Equivalent(happened, read, strict: true);
        Assert.Equal(JournalRows.Write(happened), JournalRows.Write(read));
        Assert.Equivalent(Full, StoreJson.Read<LayerFile.Content>(StoreJson.Write(new LayerFile.Content(1, Full)))!.Layer, strict: true);
    }

    [Fact]
    public void Members_of_later_versions_are_passed_over_wherever_they_stand()
    {
        var happened = new CatalogEvent.Snapshot([Full], [FullImage]);
        var json = Encoding.UTF8.GetString(JournalRows.Write(happened));
        var later = json.Replace("{\"", "{\"later\":[1,{\"id\":null}],\"", StringComparison.Ordinal)
            .Replace("\"labels\":{\"later\":[1,{\"id\":null}],", "\"labels\":{", StringComparison.Ordinal);
        Assert.NotEqual(json, later);
        Assert.Equal(json, Encoding.UTF8.GetString(JournalRows.Write(Read<CatalogEvent.Snapshot>(Encoding.UTF8.GetBytes(later), "catalog-1"))));
    }

    [Fact]
    public void A_row_that_ends_too_early_is_an_error()
    {
        var bytes = JournalRows.Write(new CatalogEvent.Snapshot([Full], [FullImage]));
        for (var length = 0; length < bytes.Length; length++)
        {
            var part = bytes[..length];
            Assert.Throws<SerializationException>(() => JournalRows.Read(part, "catalog-1"));
        }

        Assert.Throws<SerializationException>(() => JournalRows.Read([.. bytes, (byte)'{'], "catalog-1"));
    }

    [Theory]
    [InlineData("\"id\":\"ab\",")]
    [InlineData("\"kind\":\"writable\",")]
    [InlineData("\"names\":[],")]
    [InlineData("\"labels\":{},")]
    [InlineData(",\"created\":\"1970-01-01T00:00:00+00:00\"")]
    public void What_a_layer_must_have_is_missed(string member)
    {
        var json = Encoding.UTF8.GetString(JournalRows.Write(new CatalogEvent.LayerCommitted(Bare)));
        Assert.Contains(member, json, StringComparison.Ordinal);
        Assert.Throws<SerializationException>(() => JournalRows.Read(Encoding.UTF8.GetBytes(json.Replace(member, "", StringComparison.Ordinal)), "layer-committed-1"));
    }

    [Theory]
    [InlineData("layer-committed-1", """{"layer":null}""")]
    [InlineData("layer-committed-1", """{"layer":[]}""")]
    [InlineData("layer-committed-1", "{}")]
    [InlineData("layer-committed-1", "null")]
    [InlineData("layer-removed-1", """{"layer":"../x"}""")]
    [InlineData("layer-removed-1", """{"layer":7}""")]
    [InlineData("layer-removed-1", """{"layer":"\ud800"}""")]
    [InlineData("layer-named-1", """{"layer":"ab"}""")]
    [InlineData("layer-named-1", """{"layer":"ab","names":"x"}""")]
    [InlineData("layer-named-1", """{"layer":"ab","names":[null]}""")]
    [InlineData("image-removed-1", """{"image":"ab"}""")]
    [InlineData("image-named-1", """{"image":"5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef","names":[],"history":[null]}""")]
    [InlineData("image-put-1", """{"image":{"id":"5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef","names":[],"layers":[],"labels":{},"created":"2026-01-02T03:04:05Z","bigData":[],"added":7}}""")]
    [InlineData("catalog-1", """{"layers":[]}""")]
    [InlineData("catalog-1", """{"layers":{},"images":[]}""")]
    public void What_is_malformed_is_an_error_and_no_guess(string manifest, string json) =>
        Assert.Throws<SerializationException>(() => JournalRows.Read(Encoding.UTF8.GetBytes(json), manifest));

    [Fact]
    public void A_stores_format_is_read_as_it_is_written()
    {
        var format = new StoreFormat(1, "id", "overlay", new StoreFeatures(["a"], [], ["b", "c"]));
        Assert.Equivalent(format, StoreFormatJson.Read(StoreJson.Write(format)), strict: true);
        Assert.Equivalent(format, StoreFormatJson.Read("""
            { "later": {}, "format": 1, "storeId": "id", "driver": "overlay", "features": { "compatible": ["a"], "later": [[]], "readOnly": [], "incompatible": ["b", "c"] } }
            """u8), strict: true);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("""{"format":1,"storeId":"id","driver":"overlay"}""")]
    [InlineData("""{"format":"1","storeId":"id","driver":"overlay","features":{"compatible":[],"readOnly":[],"incompatible":[]}}""")]
    [InlineData("""{"format":1,"storeId":null,"driver":"overlay","features":{"compatible":[],"readOnly":[],"incompatible":[]}}""")]
    [InlineData("""{"format":1,"storeId":"id","driver":"overlay","features":{"compatible":[],"readOnly":[]}}""")]
    [InlineData("""{"format":1,"storeId":"id","driver":"overlay","features":{"compatible":[],"readOnly":[],"incompatible":[]}} x""")]
    public void Another_format_file_is_an_error(string json) => Assert.ThrowsAny<JsonException>(() => StoreFormatJson.Read(Encoding.UTF8.GetBytes(json)));

    [Fact]
    public void An_owner_is_read_as_he_was_written()
    {
        foreach (var owner in new[] { new StoreOwner(7, null, null), new StoreOwner(int.MaxValue, 12, "/run/\u00e4 \"b\"", true), new StoreOwner(1, 0, null, false) })
        {
            Assert.Equal(StoreJson.Write(owner), StoreOwnerJson.Write(owner));
            Assert.Equal(owner, StoreOwnerJson.Read(StoreOwnerJson.Write(owner)));
        }

        Assert.Equal(new StoreOwner(7, null, null), StoreOwnerJson.Read("""{"later":[],"pid":7,"socket":null,"ownJournal":null}"""u8));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("""{"pid":"7"}""")]
    [InlineData("""{"pid":7,"ownJournal":1}""")]
    [InlineData("""{"pid":7""")]
    public void Another_owners_file_is_an_error(string json) => Assert.ThrowsAny<JsonException>(() => StoreOwnerJson.Read(Encoding.UTF8.GetBytes(json)));

    private static void AssertWritten<T>(T record, object happened, string member) =>
        Assert.Equal($"{{\"{member}\":{JsonSerializer.Serialize(record, Own)}}}", Encoding.UTF8.GetString(JournalRows.Write(happened)));

    private static T Read<T>(byte[] bytes, string manifest) => Assert.IsType<T>(JournalRows.Read(bytes, manifest));
}
