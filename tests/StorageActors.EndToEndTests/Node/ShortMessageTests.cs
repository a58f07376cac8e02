using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using StorageActors.Node.Wire;
using StorageActors.Protocol;
using Xunit;

namespace StorageActors.EndToEndTests.Node;

/// <summary>The messages of short verbs are written and read by hand; the serializer's own way says what is right.</summary>
public sealed class ShortMessageTests
{
    private static readonly Digest Some = Digest.Of("some"u8);
    private static readonly DateTimeOffset Time = DateTimeOffset.Parse("2026-01-02T03:04:05.1234567Z", null);
    private static readonly Dictionary<string, string> Labels = new(StringComparer.Ordinal) { ["a\"b"] = "<&>'\\ \u00e4 \u2028 \U0001F980", [""] = "" };
    private static readonly IReadOnlyList<string> Texts = ["one", "tw\u00f6 \t\n\u0001", ""];
    private static readonly IReadOnlyList<IdRange> Ranges = [new IdRange(1, 100_000, 65_536), new IdRange(65_537, 7, 1)];
    private static readonly IdMap Ids = new(Ranges, [new IdRange(1, 2, 3)]);
    private static readonly LayerId Layer = LayerId.Parse("a.b_c-D");
    private static readonly ImageId Image = ImageId.Of(Some);
    private static readonly IReadOnlyList<BigDataItem> Items = [new BigDataItem("m\u00fc", 3, Some)];

    private static readonly LayerRecord BareLayer = new(Layer, null, LayerKind.Writable, [], new Dictionary<string, string>(StringComparer.Ordinal), Time);

    private static readonly LayerRecord FullLayer = new(
        Layer, LayerId.Parse("below"), LayerKind.Writable, Texts, Labels, Time, Some, Some, Some, long.MaxValue, LayerCompression.Bzip2, 1, 3, [1000, uint.MaxValue], [7], Texts, "d",
        "/some/where", Items, Ranges, Ranges);

    private static readonly ImageRecord FullImage = new(Image, Texts, [Layer, LayerId.Parse("below")], Labels, Time, Some, Items, [Some], "/some/where", Texts, Time);
    private static readonly StoreProtocol.LayerSpec Spec = new(Layer, Texts, Labels, [new BigData("m\u00fc", [0, 1, 255, 62, 63])]);
    private static readonly MountRecord FullMount = new(Layer, "/m\u00fc \\", MountMode.ReadOnly, [new LeaseRecord(LeaseId.Parse("x"), "\u00e4", Time, Time)], Ids);

    private static readonly object[] Commands =
    [
        new CatalogProtocol.ListLayers(), new CatalogProtocol.ListImages(), new CatalogProtocol.ListMounts(), new StoreProtocol.GetInfo(), new StoreProtocol.GetStatistics(),
        new CatalogProtocol.Resolve("<m\u00fc> \u2028 \ud83e\udd80 \" + '"),
        new LayerProtocol.Acquire(Layer, LeaseId.Parse("x"), new MountOptions(true, Texts, Ids), null, LeaseOwner.Parse("pod-7"), new TimeSpan(1, 2, 3, 4, 567)),
        new LayerProtocol.Release(Layer, LeaseId.Parse("x"), true, "w\u00e4"),
        new LayerProtocol.ReleaseAll(Layer, true, "w\u00e4"),
        new LayerProtocol.WhyBusy(Layer),
        new StoreProtocol.GetMetadata(Layer),
        new StoreProtocol.GetUsage(Layer),
        new StoreProtocol.Create(Layer, Spec, Ids),
        new StoreProtocol.Seal(Layer, Texts, Labels, TicketId.Parse("tt")),
        new StoreProtocol.Apply(
            Layer,
            [
                new StoreProtocol.ChainItem(new BlobSource("/m\u00fc", 1, 2, TransferId.Parse("up")), Spec, new StoreProtocol.Expectations(Some, Some, 1, 2, 3), TicketId.Parse("tt")),
            ],
            Reuse: true),
        new StoreProtocol.Remove(Layer, true, "w\u00e4"),
        new CatalogProtocol.RemoveImage(Image, true, true),
        new CatalogProtocol.ChangeNames(Layer, Image, Texts, Texts, true),
        new CatalogProtocol.ChangeLabels(Layer, Labels, Image),
    ];

    private static readonly object[] BareCommands =
    [
        new LayerProtocol.Acquire(Layer, LeaseId.Parse("x"), MountOptions.Default), new LayerProtocol.Acquire(Layer, LeaseId.Parse("x"), new MountOptions(Ids: IdMap.Host), Term: TimeSpan.FromDays(3650)),
        new LayerProtocol.Release(Layer, null), new LayerProtocol.ReleaseAll(Layer), new StoreProtocol.GetUsage(), new StoreProtocol.Create(null, new StoreProtocol.LayerSpec()),
        new StoreProtocol.Seal(Layer), new StoreProtocol.Apply(null, [new StoreProtocol.ChainItem(new BlobSource(), new StoreProtocol.LayerSpec(), new StoreProtocol.Expectations())]),
        new StoreProtocol.Apply(null, []), new StoreProtocol.Remove(Layer), new CatalogProtocol.RemoveImage(Image), new CatalogProtocol.ChangeNames(null, null, [], []),
        new CatalogProtocol.ChangeLabels(null, new Dictionary<string, string>(StringComparer.Ordinal)),
    ];

    private static readonly object[] Answers =
    [
        new CatalogProtocol.Resolved(FullLayer, FullImage),
        new LayerProtocol.Acquired(Layer, LeaseId.Parse("x"), "/m\u00fc", MountMode.ReadOnly, int.MaxValue),
        new LayerProtocol.Released(Layer, 3),
        new LayerProtocol.Holders(Layer, Texts),
        new CatalogProtocol.Layers([FullLayer, BareLayer]),
        new CatalogProtocol.Images([FullImage]),
        new CatalogProtocol.Mounts([FullMount, FullMount with { Mode = MountMode.ReadWrite, Leases = [], Ids = null }]),
        new StoreProtocol.Metadata(Layer, new LayerMetadata("overlay", "/d", "/d/diff", "/d/work", "/d/merged", Texts, "ext4", "8:1")),
        new StoreProtocol.LayerCreated(FullLayer),
        new StoreProtocol.LayerSealed(FullLayer),
        new StoreProtocol.Applied([new StoreProtocol.AppliedLayer(FullLayer, true, 1.25e-3)]),
        new StoreProtocol.LayerRemoved(Layer),
        new CatalogProtocol.ImageRemoved(Image, [Layer]),
        new WireError(new StorageError(StorageErrorCode.UnknownFormat, "op", "w\u00e4 \"", "/p", "EIO", StorageErrorReason.MountBusy, Layer, Image)),
    ];

    [Fact]
    public void Commands_are_written_as_the_serializer_writes_them()
    {
        foreach (var command in Commands.Concat(BareCommands))
        {
            Assert.Equal(Own(command), Encoding.UTF8.GetString(CommandJson.TryWrite(command)!));
            Assert.Equal(Own(command), Encoding.UTF8.GetString(WireJson.Write(command)));
        }
    }

    /// <summary>What must not be null and is null all the same is for the node to refuse: it is left out by both, never written as something else.</summary>
    [Fact]
    public void Commands_with_nulls_are_written_as_the_serializer_writes_them()
    {
        var tried = 0;
        foreach (var command in Commands.SelectMany(Hollow))
        {
            Assert.Equal(Own(command), Encoding.UTF8.GetString(CommandJson.TryWrite(command)!));
            tried++;
        }

        Assert.True(tried > 50, $"{tried} commands");
        Assert.Contains(Commands.SelectMany(Hollow), static command => command is StoreProtocol.Create { Spec: null });
        Assert.Contains(Commands.SelectMany(Hollow), static command => command is StoreProtocol.Create { Spec.Documents: [{ Content: null }] });
        Assert.Contains(Commands.SelectMany(Hollow), static command => command is StoreProtocol.Apply { Items: [null] });
    }

    [Fact]
    public void Other_messages_are_left_to_the_serializer()
    {
        Assert.Null(CommandJson.TryWrite(new StoreProtocol.Check()));
        Assert.Null(CommandJson.TryWrite(Answers[0]));
        Assert.Null(ReplyJson.TryRead(typeof(StoreProtocol.Checked), "{}"u8));
        Assert.Throws<JsonException>(() => WireJson.Read<StoreProtocol.Checked>("{}"u8));
    }

    [Fact]
    public void Answers_are_read_as_the_serializer_writes_them()
    {
        foreach (var answer in Answers) Assert.Equal(Own(answer), Own(Read(answer.GetType(), Own(answer))));
        foreach (var code in Enum.GetValues<StorageErrorCode>()) AssertError(new StorageError(code, "op", "m"));
        foreach (var reason in Enum.GetValues<StorageErrorReason>()) AssertError(new StorageError(StorageErrorCode.Io, "op", "m", Reason: reason));

        static void AssertError(StorageError error) => Assert.Equal(error, WireJson.Read<WireError>(Encoding.UTF8.GetBytes(Own(new WireError(error)))).Error);
    }

    /// <summary>So that a member which a message gets later is not forgotten here: every one has a value of its own.</summary>
    [Fact]
    public void Every_member_of_these_messages_is_tried()
    {
        foreach (var message in Commands.Concat(Answers)) AssertWhole(message);
    }

    /// <summary>Whatever is left out, null, or of another kind: both refuse it, or both read the same.</summary>
    [Fact]
    public void Answers_that_are_not_whole_are_taken_as_the_serializer_takes_them()
    {
        foreach (var answer in Answers)
        {
            foreach (var path in Places(JsonNode.Parse(Own(answer))!.AsObject(), []).ToList())
            {
                foreach (var change in new[] { "gone", "null", "[[]]", "{\"x\":{}}", "\"\"", "-1.5", "true" })
                {
                    if (path[^1] is not "reason" || change is not "\"\"") AssertSame(answer, path, change); // An error whose reason is not known has none.
                }
            }
        }

        static void AssertSame(object answer, IReadOnlyList<object> path, string change)
        {
            var json = JsonNode.Parse(Own(answer))!;
            var at = path.SkipLast(1).Aggregate(json, static (node, step) => step is int index ? node[index]! : node[(string)step]!).AsObject();
            if (change == "gone") at.Remove((string)path[^1]);
            else at[(string)path[^1]] = JsonNode.Parse(change);
            var text = json.ToJsonString();
            var (byHand, own) = (Outcome(() => Read(answer.GetType(), text)), Outcome(() => JsonSerializer.Deserialize(text, WireJson.ClientOptions.GetTypeInfo(answer.GetType()))!));
            Assert.True(byHand == own, $"{string.Join('/', path)} {change} of {answer.GetType().Name}: {byHand}, not {own}");
        }
    }

    [Fact]
    public void An_answer_that_ends_too_early_or_too_late_is_an_error()
    {
        foreach (var answer in Answers)
        {
            var json = Encoding.UTF8.GetBytes(Own(answer));
            for (var length = 0; length < json.Length; length++)
            {
                var part = json[..length];
                Assert.ThrowsAny<JsonException>(() => ReplyJson.TryRead(answer.GetType(), part));
            }

            Assert.ThrowsAny<JsonException>(() => ReplyJson.TryRead(answer.GetType(), [.. json, (byte)'{']));
        }
    }

    [Fact]
    public void What_a_newer_node_adds_is_passed_over()
    {
        foreach (var answer in Answers)
        {
            var json = JsonNode.Parse(Own(answer))!.AsObject();
            foreach (var path in Places(json, []).ToList())
            {
                var at = path.SkipLast(1).Aggregate((JsonNode)json, static (node, step) => step is int index ? node[index]! : node[(string)step]!).AsObject();
                at["later"] = JsonNode.Parse("""[1,{"id":null}]""");
            }

            Assert.Contains("later", json.ToJsonString(), StringComparison.Ordinal);
            Assert.Equal(Own(answer), Own(Read(answer.GetType(), json.ToJsonString())));
        }

        var error = WireJson.Read<WireError>("""{"error":{"code":"inUse","operation":"o","message":"m","reason":"eclipsed"}}"""u8).Error;
        Assert.Equal(new StorageError(StorageErrorCode.InUse, "o", "m"), error);
    }

    [Theory]
    [InlineData("""{"error":{"code":"eclipsed","operation":"o","message":"m"}}""")]
    [InlineData("""{"error":{"code":"2","operation":"o","message":"m"}}""")]
    [InlineData("""{"error":{"code":"io,busy","operation":"o","message":"m"}}""")]
    [InlineData("""{"error":{"code":"","operation":"o","message":"m"}}""")]
    [InlineData("""{"error":{"code":"io","operation":"\ud800","message":"m"}}""")]
    public void An_error_without_a_code_that_is_known_is_no_answer(string json) => Assert.ThrowsAny<JsonException>(() => WireJson.Read<WireError>(Encoding.UTF8.GetBytes(json)));

    private static string Own(object message) => JsonSerializer.Serialize(message, WireJson.ClientOptions.GetTypeInfo(message.GetType()));

    private static object Read(Type type, string json) => ReplyJson.TryRead(type, Encoding.UTF8.GetBytes(json))!;

    private static string Outcome(Func<object> read)
    {
        try { return Own(read()); }
        catch (JsonException) { return "refused"; }
    }

    /// <summary>The members of all objects but those whose keys are free, and of maps of ids, which one converter reads for both.</summary>
    private static IEnumerable<IReadOnlyList<object>> Places(JsonNode node, IReadOnlyList<object> path)
    {
        if (node is JsonArray list) return list.SelectMany((item, index) => item is null ? [] : Places(item, [.. path, index]));
        if (node is not JsonObject members) return [];
        return members.SelectMany(member => (IEnumerable<IReadOnlyList<object>>)
            [[.. path, member.Key], .. member.Value is null || member.Key is "labels" or "ids" ? [] : Places(member.Value, [.. path, member.Key])]);
    }

    /// <summary>Copies of a record, each with one null in it that was none: a member, an item of a list, or one further down.</summary>
    private static IEnumerable<object> Hollow(object record)
    {
        foreach (var property in record.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(static property => property.CanWrite))
        {
            var type = property.PropertyType;
            if (property.GetValue(record) is not { } value || (type.IsValueType && Nullable.GetUnderlyingType(type) is null)) continue;
            yield return With(record, property, null);
            if (value is IReadOnlyList<string>) yield return With(record, property, new string?[] { null });
            else if (value is IReadOnlyDictionary<string, string>) yield return With(record, property, new Dictionary<string, string?>(StringComparer.Ordinal) { ["k"] = null });
            else if (value is System.Collections.IList { Count: > 0 } list and not byte[])
            {
                foreach (var item in Hollow(list[0]!).Append(null))
                {
                    var items = Array.CreateInstance(list[0]!.GetType(), 1);
                    items.SetValue(item, 0);
                    yield return With(record, property, items);
                }
            }
            else if (value is not IdMap && value.GetType() is { IsClass: true } own && own.Namespace!.StartsWith("StorageActors", StringComparison.Ordinal))
            {
                foreach (var inner in Hollow(value)) yield return With(record, property, inner);
            }
        }

        static object With(object record, PropertyInfo property, object? value)
        {
            var copy = record.GetType().GetMethod("<Clone>$")!.Invoke(record, null)!;
            property.SetValue(copy, value);
            return copy;
        }
    }

    private static void AssertWhole(object value)
    {
        foreach (var property in value.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            if (property.IsDefined(typeof(JsonIgnoreAttribute))) continue;
            var member = property.GetValue(value);
            var isEmpty = member is null || (member.GetType() is { IsValueType: true } type && member.Equals(Activator.CreateInstance(type)))
                || member is System.Collections.ICollection { Count: 0 };
            Assert.False(isEmpty, $"{value.GetType().Name}.{property.Name} has no value here");
            if (member is System.Collections.IEnumerable list and not string and not byte[] && !property.Name.EndsWith("abels", StringComparison.Ordinal))
            {
                if (list.Cast<object>().First() is { } first && IsRecord(first)) AssertWhole(first);
            }
            else if (IsRecord(member!))
            {
                AssertWhole(member!);
            }
        }

        static bool IsRecord(object value) => value.GetType() is { IsClass: true } type && type.Namespace!.StartsWith("StorageActors", StringComparison.Ordinal);
    }
}
