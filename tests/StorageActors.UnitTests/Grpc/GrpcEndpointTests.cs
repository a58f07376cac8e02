using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using StorageActors.Grpc.Calls;
using StorageActors.Grpc.Framing;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.UnitTests.Grpc;

/// <summary>gRPC as .NET's HTTP/2 client sees it.</summary>
public sealed class GrpcEndpointTests
{
    private static readonly byte[] Hello = new StringValue { Value = "hello" }.ToByteArray();

    [Fact]
    public async Task A_message_is_answered_and_the_status_follows_in_trailers()
    {
        await using var served = await ServedMethods.StartAsync();
        var answer = await served.Client.SendAsync("/test.Words/Echo", GrpcTestClient.Frame(Hello), static request => request.Headers.Add("x-more", "!"));
        Assert.Equal((200, 0, false), (answer.HttpStatus, answer.Status, answer.InHeaders));
        Assert.Equal("hello!", StringValue.Parser.ParseFrom(Assert.Single(answer.Messages)).Value);
        Assert.True(SpinWait.SpinUntil(() => served.Ended.Count > 0, TimeSpan.FromMinutes(2))); // The client may have its answer before.
        var report = Assert.Single(served.Ended);
        Assert.Equal(("test.Words/Echo", GrpcStatusCode.Ok), (report.Method, report.Status));
    }

    [Fact]
    public async Task A_stream_sends_each_message_and_its_error_comes_after_those_that_were_sent()
    {
        await using var served = await ServedMethods.StartAsync();
        var whole = await served.Client.CallAsync("/test.Words/Count", new Int64Value { Value = 1000 }.ToByteArray());
        Assert.Equal(0, whole.Status);
        Assert.Equal(Enumerable.Range(1, 1000).Select(static n => (long)n), whole.Messages.Select(static m => Int64Value.Parser.ParseFrom(m).Value));
        var broken = await served.Client.CallAsync("/test.Words/Count", new Int64Value { Value = -3 }.ToByteArray());
        Assert.Equal((11, "too far", 3, false), (broken.Status, broken.Message, broken.Messages.Count, broken.InHeaders));
        var empty = await served.Client.CallAsync("/test.Words/Count", new Int64Value().ToByteArray());
        Assert.Equal((0, 0), (empty.Status, empty.Messages.Count));
    }

    [Theory]
    [InlineData("plain words")]
    [InlineData("100 % größer – 大きい 🚀\nand a second line")]
    public async Task A_refusal_comes_in_headers_alone_with_any_text(string text)
    {
        await using var served = await ServedMethods.StartAsync();
        var answer = await served.Client.CallAsync("/test.Words/Refuse", new StringValue { Value = text }.ToByteArray());
        Assert.Equal((200, 9, true, 0), (answer.HttpStatus, answer.Status, answer.InHeaders, answer.Messages.Count));
        Assert.True(answer.Message.All(static c => c is >= ' ' and <= '~'));
        Assert.Equal(text, StatusMessage.Decode(answer.Message));
    }

    [Fact]
    public async Task Unknown_methods_defects_and_other_requests_get_their_own_answers()
    {
        await using var served = await ServedMethods.StartAsync();
        Assert.Equal(12, (await served.Client.CallAsync("/test.Words/Nothing", [])).Status);
        Assert.Equal(12, (await served.Client.CallAsync("/", [])).Status);
        Assert.Equal(13, (await served.Client.CallAsync("/test.Words/Break", [])).Status);
        Assert.Equal(405, (await served.Client.SendAsync("/test.Words/Echo", [], static request => request.Method = HttpMethod.Put)).HttpStatus);
        Assert.Equal(415, (await served.Client.SendAsync("/test.Words/Echo", [], static request => request.Content!.Headers.ContentType = new("application/json"))).HttpStatus);
        Assert.Equal(12, (await served.Client.SendAsync("/test.Words/Echo", GrpcTestClient.Frame(Hello), static request => request.Headers.Add("grpc-encoding", "gzip"))).Status);
        Assert.Equal(0, (await served.Client.CallAsync("/test.Words/Echo", Hello)).Status);
    }

    public static TheoryData<string, byte[]> Malformed => new()
    {
        { "nothing", [] },
        { "half a header", [0, 0, 0] },
        { "half a message", [0, 0, 0, 0, 9, 1, 2] },
        { "no such flag", [7, 0, 0, 0, 0] },
        { "compressed without an encoding", [1, 0, 0, 0, 0] },
        { "two messages", [.. GrpcTestClient.Frame(Hello), .. GrpcTestClient.Frame(Hello)] },
        { "a message and a half", [.. GrpcTestClient.Frame(Hello), 0, 0] },
        { "no protobuf", GrpcTestClient.Frame([0xFF, 0xFF, 0xFF]) },
        { "a text that is no UTF-8", GrpcTestClient.Frame([0x0A, 2, 0xC3, 0x28]) },
    };

    [Theory]
    [MemberData(nameof(Malformed))]
    public async Task Malformed_bodies_are_internal_errors_and_the_connection_goes_on(string what, byte[] body)
    {
        await using var served = await ServedMethods.StartAsync();
        var answer = await served.Client.SendAsync("/test.Words/Echo", body);
        Assert.True(answer.Status == 13, $"{what}: {answer.Status} {answer.Message}");
        Assert.Equal(0, (await served.Client.CallAsync("/test.Words/Echo", Hello)).Status);
    }

    [Fact]
    public async Task Large_messages_pass_up_to_the_limit_whatever_length_is_announced()
    {
        await using var served = await ServedMethods.StartAsync();
        var content = new byte[ServedMethods.MaximumMessage - 10];
        var largest = await served.Client.CallAsync("/test.Words/Length", new BytesValue { Value = ByteString.CopyFrom(content) }.ToByteArray());
        Assert.Equal(content.Length, Int64Value.Parser.ParseFrom(Assert.Single(largest.Messages)).Value);
        Assert.Equal(8, (await served.Client.CallAsync("/test.Words/Length", new byte[ServedMethods.MaximumMessage + 1])).Status);
        Assert.Equal(8, (await served.Client.SendAsync("/test.Words/Length", [0, 0xFF, 0xFF, 0xFF, 0xFF])).Status);
        var almost = new StringValue { Value = new string('x', ServedMethods.MaximumMessage - 8) }.ToByteArray();
        Assert.Equal(8, (await served.Client.SendAsync("/test.Words/Echo", GrpcTestClient.Frame(almost), static request => request.Headers.Add("x-more", "and nine"))).Status);
    }

    [Fact]
    public async Task A_deadline_ends_the_call_and_a_caller_that_goes_away_ends_it_too()
    {
        await using var served = await ServedMethods.StartAsync();
        Assert.Equal(4, (await served.Client.CallAsync("/test.Words/Wait", [], timeout: "20m")).Status);
        Assert.Equal(13, (await served.Client.CallAsync("/test.Words/Echo", Hello, timeout: "soon")).Status);
        Assert.Equal(0, (await served.Client.CallAsync("/test.Words/Echo", Hello, timeout: "99999999H")).Status);

        await using var other = await ServedMethods.StartAsync();
        using var patience = new CancellationTokenSource();
        var waiting = other.Client.CallAsync("/test.Words/Wait", [], stop: patience.Token);
        await other.Client.CallAsync("/test.Words/Echo", Hello);   // The connection works while a call waits.
        await other.Entered.WaitAsync(TimeSpan.FromMinutes(2));
        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        await other.Left.WaitAsync(TimeSpan.FromMinutes(2));
    }
}
