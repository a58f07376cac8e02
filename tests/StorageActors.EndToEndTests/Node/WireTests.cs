using System.Reflection;
using System.Text;
using System.Text.Json;
using StorageActors.Node.Wire;
using StorageActors.Protocol;
using Xunit;

namespace StorageActors.EndToEndTests.Node;

public sealed class WireTests
{
    private static readonly Type[] Protocols = [typeof(StoreProtocol), typeof(LayerProtocol), typeof(CatalogProtocol)];

    public static TheoryData<Type> Messages() => new(Protocols
        .SelectMany(static protocol => protocol.GetNestedTypes(BindingFlags.Public))
        .Where(static type => !type.IsInterface
            && (type.IsAssignableTo(typeof(StoreProtocol.ICommand)) || type.IsAssignableTo(typeof(StoreProtocol.IReply)))));

    [Theory]
    [MemberData(nameof(Messages))]
    public void Every_message_of_the_protocol_has_its_json(Type message) => Assert.NotNull(WireJsonContext.Default.GetTypeInfo(message));

    [Fact]
    public void Every_command_has_an_address_of_its_own()
    {
        Assert.Same(typeof(StoreProtocol.Apply), CommandTable.Find("/v1/store/Apply"));
        Assert.Same(typeof(LayerProtocol.Acquire), CommandTable.Find("/v1/layer/Acquire"));
        Assert.Same(typeof(CatalogProtocol.ListLayers), CommandTable.Find("/v1/catalog/ListLayers"));
        Assert.Null(CommandTable.Find("/v1/store/Applied"));
        Assert.Null(CommandTable.Find("/v1/store/apply"));
    }

    [Fact]
    public void Absent_values_are_left_out_and_enumerations_are_words()
    {
        var record = new LayerRecord(
            LayerId.Parse("base"), null, LayerKind.Sealed, ["a b"], new Dictionary<string, string> { ["Key"] = "v" },
            new DateTimeOffset(2025, 2, 3, 5, 6, 7, TimeSpan.FromHours(1)), Compression: LayerCompression.Zstd);
        var json = Encoding.UTF8.GetString(WireJson.Write(new CatalogProtocol.Layers([record])));
        Assert.Equal(
            """{"items":[{"id":"base","kind":"sealed","names":["a b"],"labels":{"Key":"v"},"created":"2025-02-03T04:06:07Z","compression":"zstd"}]}""", json);
    }

    [Fact]
    public async Task A_command_comes_back_as_it_was_written()
    {
        var apply = new StoreProtocol.Apply(
            LayerId.Parse("base"),
            [new StoreProtocol.ChainItem(BlobSource.File("/tmp/x.tar"), new(LayerId.Parse("top"), ["n"]), new(Digest.EmptyLayer, MaximumSize: 7), TicketId.Parse("tt"))],
            Reuse: true);
        var read = (StoreProtocol.Apply)await ReadAsync(typeof(StoreProtocol.Apply), Encoding.UTF8.GetString(WireJson.Write(apply)));
        Assert.Equal(apply.Parent, read.Parent);
        Assert.True(read.Reuse);
        Assert.Equal(apply.Items[0].Source, read.Items[0].Source);
        Assert.Equal(apply.Items[0].Expect, read.Items[0].Expect);
        Assert.Equal(["n"], read.Items[0].Spec.Names!);
        Assert.Null(read.Owner);
    }

    [Theory]
    [InlineData("""{"layer":"ab"}""")]                                        // options are missing
    [InlineData("""{"lease":"x","options":{}}""")]                            // the layer is missing, and an id has no default
    [InlineData("""{"layer":"ab","lease":"x","options":{},"maximum":1}""")]   // no such key
    [InlineData("""{"layer":"../ab","lease":"x","options":{}}""")]            // no layer id
    [InlineData("""{"layer":"ab","lease":"x","options":null}""")]
    [InlineData("""[]""")]
    [InlineData("""null""")]
    [InlineData("")]
    public async Task A_command_that_is_not_whole_and_exact_is_refused(string json) =>
        await Assert.ThrowsAsync<JsonException>(() => ReadAsync(typeof(LayerProtocol.Acquire), json));

    [Fact]
    public void An_answer_with_keys_of_a_newer_node_is_read() =>
        Assert.Equal(3, WireJson.Read<LayerProtocol.Released>("""{"layer":"ab","leasesLeft":3,"mood":"good"}"""u8).LeasesLeft);

    private static async Task<object> ReadAsync(Type type, string json) =>
        await WireJson.ReadCommandAsync(new MemoryStream(Encoding.UTF8.GetBytes(json)), type, CancellationToken.None);
}
