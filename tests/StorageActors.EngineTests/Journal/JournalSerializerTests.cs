using System.Runtime.Serialization;
using System.Text;
using Akka.Actor;
using StorageActors.EngineTests.Support;
using StorageActors.Journal;
using StorageActors.Protocol;
using Xunit;

namespace StorageActors.EngineTests.Journal;

public sealed class JournalSerializerTests() : EngineTest()
{
    private const string Hex = "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef";
    private static readonly LayerId Layer = LayerId.Parse("some-layer");
    private static readonly ImageId Image = ImageId.Parse(Hex);
    private static readonly DateTimeOffset Time = DateTimeOffset.Parse("2026-01-02T03:04:05.1234567Z", null);
    private static readonly Dictionary<string, string> Labels = new(StringComparer.Ordinal) { ["k"] = "v" };

    private static readonly LayerRecord Record = new(
        Layer, null, LayerKind.Writable, ["n"], Labels, Time, Digest.EmptyLayer, Digest.EmptyLayer, Digest.EmptyLayer, 10, LayerCompression.Gzip, 1024, 3,
        [0], [0, 5], ["w"], "d");

    private static readonly ImageRecord ImageRecord = new(
        Image, ["n"], [Layer], Labels, Time, Digest.EmptyLayer, [new BigDataItem("config", 2, Digest.EmptyLayer)], [Digest.EmptyLayer]);

    private static readonly LeaseEvent.Granted Lease = new(LeaseId.Parse("web"), "external", Time, "boot", "run", MountMode.ReadWrite, ["nodev"]);

    private static readonly string LayerJson =
        $$"""{"id":"some-layer","kind":"writable","names":["n"],"labels":{"k":"v"},"created":"2026-01-02T03:04:05.1234567+00:00","diffId":"sha256:{{Hex}}","chainId":"sha256:{{Hex}}","blobDigest":"sha256:{{Hex}}","blobSize":10,"compression":"gzip","size":1024,"entries":3,"uids":[0],"gids":[0,5],"warnings":["w"],"damage":"d"}""";

    private static readonly string ImageJson =
        $$"""{"id":"{{Hex}}","names":["n"],"layers":["some-layer"],"labels":{"k":"v"},"created":"2026-01-02T03:04:05.1234567+00:00","manifestDigest":"sha256:{{Hex}}","bigData":[{"key":"config","size":2,"digest":"sha256:{{Hex}}"}],"blobs":["sha256:{{Hex}}"]}""";

    private const string LeaseJson =
        """{"lease":"web","owner":"external","since":"2026-01-02T03:04:05.1234567+00:00","bootId":"boot","run":"run","mode":"readWrite","options":["nodev"]}""";

    /// <summary>What is in journals of stores out there: a change here means that they cannot be read any more.</summary>
    private static readonly (string Manifest, object Event, string Json)[] Rows =
    [
        ("layer-committed-1", new CatalogEvent.LayerCommitted(Record), $$"""{"layer":{{LayerJson}}}"""),
        ("layer-sealed-1", new CatalogEvent.LayerSealed(Record), $$"""{"layer":{{LayerJson}}}"""),
        ("layer-removed-1", new CatalogEvent.LayerRemoved(Layer), """{"layer":"some-layer"}"""),
        ("layer-named-1", new CatalogEvent.LayerNamed(Layer, ["a", "b"]), """{"layer":"some-layer","names":["a","b"]}"""),
        ("layer-labelled-1", new CatalogEvent.LayerLabelled(Layer, Labels), """{"layer":"some-layer","labels":{"k":"v"}}"""),
        ("layer-documented-1", new CatalogEvent.LayerDocumented(Layer, [new BigDataItem("config", 2, Digest.EmptyLayer)]),
            $$"""{"layer":"some-layer","documents":[{"key":"config","size":2,"digest":"sha256:{{Hex}}"}]}"""),
        ("layer-damaged-1", new CatalogEvent.LayerDamaged(Layer, "gone"), """{"layer":"some-layer","reason":"gone"}"""),
        ("layer-healed-1", new CatalogEvent.LayerHealed(Layer), """{"layer":"some-layer"}"""),
        ("image-put-1", new CatalogEvent.ImagePut(ImageRecord), $$"""{"image":{{ImageJson}}}"""),
        ("image-named-1", new CatalogEvent.ImageNamed(Image, []), $$"""{"image":"{{Hex}}","names":[]}"""),
        ("image-named-2", new CatalogEvent.ImageNamed(Image, ["a"], Given: ["a"]), $$"""{"image":"{{Hex}}","names":["a"],"given":["a"]}"""),
        ("image-labelled-1", new CatalogEvent.ImageLabelled(Image, Labels), $$$"""{"image":"{{{Hex}}}","labels":{"k":"v"}}"""),
        ("image-removed-1", new CatalogEvent.ImageRemoved(Image), $$"""{"image":"{{Hex}}"}"""),
        ("catalog-1", new CatalogEvent.Snapshot([Record], [ImageRecord]), $$"""{"layers":[{{LayerJson}}],"images":[{{ImageJson}}]}"""),
        ("lease-granted-1", Lease, LeaseJson),
        ("lease-released-1", new LeaseEvent.Released(LeaseId.Parse("web")), """{"lease":"web"}"""),
        ("leases-cleared-1", new LeaseEvent.Cleared(), "{}"),
        ("leases-1", new LeaseEvent.Snapshot([Lease]), $$"""{"leases":[{{LeaseJson}}]}"""),
    ];

    /// <summary>Members that came later, which rows of before do not have.</summary>
    private static readonly (string Manifest, object Event, string Json)[] LaterRows =
    [
        ("layer-committed-1", new CatalogEvent.LayerCommitted(Record with { BigData = [new BigDataItem("config", 2, Digest.EmptyLayer)] }),
            $$$"""{"layer":{{{LayerJson[..^1]}}},"bigData":[{"key":"config","size":2,"digest":"sha256:{{{Hex}}}"}]}}"""),
        ("image-put-1", new CatalogEvent.ImagePut(ImageRecord with { NamesHistory = ["n", "m"], Added = Time }),
            $$$"""{"image":{{{ImageJson[..^1]}}},"namesHistory":["n","m"],"added":"2026-01-02T03:04:05.1234567+00:00"}}"""),
        ("image-named-1", new CatalogEvent.ImageNamed(Image, ["a"], ["b", "a"]), $$"""{"image":"{{Hex}}","names":["a"],"history":["b","a"]}"""),
        ("image-named-2", new CatalogEvent.ImageNamed(Image, [], Given: []), $$"""{"image":"{{Hex}}","names":[],"given":[]}"""),
    ];

    private JournalSerializer Serializer => new((ExtendedActorSystem)Sys);

    [Fact]
    public void Rows_have_the_bytes_that_they_always_had()
    {
        foreach (var (manifest, happened, json) in Rows.Concat(LaterRows))
        {
            Assert.Equal(manifest, Serializer.Manifest(happened));
            Assert.Equal(json, Encoding.UTF8.GetString(Serializer.ToBinary(happened)));
        }
    }

    [Fact]
    public void Rows_are_read_as_they_were_written()
    {
        foreach (var (manifest, happened, json) in Rows.Concat(LaterRows))
        {
            var read = Serializer.FromBinary(Encoding.UTF8.GetBytes(json), manifest);
            Assert.IsType(happened.GetType(), read);
            Assert.Equivalent(happened, read, strict: true);
            Assert.Equal(json, Encoding.UTF8.GetString(Serializer.ToBinary(read)));
        }
    }

    [Fact]
    public void Names_that_were_given_are_read_under_the_first_name_of_their_row_too() => Assert.Equivalent(
        new CatalogEvent.ImageNamed(Image, ["a"], Given: ["a"]),
        Serializer.FromBinary(Encoding.UTF8.GetBytes($$"""{"image":"{{Hex}}","names":["a"],"given":["a"]}"""), "image-named-1"), strict: true);

    [Fact]
    public void Every_kind_of_row_is_held_to_its_bytes() =>
        Assert.Equal( // PackedSnapshotTests has those that are no JSON.
            JournalSerializer.KnownManifests.Order(StringComparer.Ordinal), Rows.Select(static row => row.Manifest).Concat(["catalog-2", "catalog-3", "catalog-4"]).Order(StringComparer.Ordinal));

    [Fact]
    public void Every_event_has_a_row()
    {
        var events = typeof(IJournalEvent).Assembly.GetTypes().Where(static type => type is { IsAbstract: false } && type.IsAssignableTo(typeof(IJournalEvent)));
        Assert.Equal(events.ToHashSet(), Rows.Select(static row => row.Event.GetType()).ToHashSet());
    }

    [Fact]
    public void Members_of_later_versions_are_ignored() => Assert.Equal(
        new CatalogEvent.LayerDamaged(Layer, "gone"),
        Serializer.FromBinary("""{"layer":"some-layer","reason":"gone","since":[1,{"a":2}]}"""u8.ToArray(), "layer-damaged-1"));

    [Theory]
    [InlineData("layer-damaged-9", """{"layer":"some-layer"}""")]
    [InlineData("layer-damaged-1", """{"layer":"some-layer"}""")]
    [InlineData("layer-damaged-1", """{"layer":"../x","reason":"gone"}""")]
    [InlineData("layer-damaged-1", "null")]
    [InlineData("layer-damaged-1", "")]
    public void What_cannot_be_read_is_an_error_and_no_guess(string manifest, string json) =>
        Assert.Throws<SerializationException>(() => Serializer.FromBinary(Encoding.UTF8.GetBytes(json), manifest));

    [Fact]
    public void The_actor_system_uses_this_serializer_under_its_fixed_number()
    {
        var chosen = Sys.Serialization.FindSerializerFor(new CatalogEvent.LayerHealed(Layer));
        Assert.IsType<JournalSerializer>(chosen);
        Assert.Equal(53_014_001, chosen.Identifier);
    }
}
