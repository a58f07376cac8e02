using Google.Protobuf;
using StorageActors.Grpc.Framing;

namespace StorageActors.Grpc.Calls;

/// <summary>One method: how its requests are read, what it does, and how its answers are written.</summary>
internal abstract class GrpcMethod
{
    /// <summary>Reads what it takes, serves, and writes what comes of it; the status is the caller's business.</summary>
    internal abstract Task ServeAsync(FrameReader requests, FrameWriter answers, GrpcCall call);

    /// <summary>The one message of a call that has exactly one.</summary>
    private static async Task<TRequest> ReadOneAsync<TRequest>(FrameReader requests, MessageParser<TRequest> parser, CancellationToken stop)
        where TRequest : IMessage<TRequest>
    {
        var bytes = await requests.ReadAsync(stop) ?? throw new GrpcException(GrpcStatusCode.Internal, "the call ended without a message");
        if (await requests.ReadAsync(stop) is not null) throw new GrpcException(GrpcStatusCode.Internal, "the call has more than one message");
        try
        {
            var request = parser.ParseFrom(bytes.Span);
            return Utf8Check.FindFault(request.Descriptor, bytes) is not { } field ? request
                : throw new GrpcException(GrpcStatusCode.Internal, $"{field} is no UTF-8");
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new GrpcException(GrpcStatusCode.Internal, $"the request is no {typeof(TRequest).Name}: {e.Message}", e);
        }
    }

    /// <summary>One message in, one out.</summary>
    internal sealed class Unary<TRequest, TAnswer>(MessageParser<TRequest> parser, Func<TRequest, GrpcCall, Task<TAnswer>> serve) : GrpcMethod
        where TRequest : IMessage<TRequest>
        where TAnswer : IMessage<TAnswer>
    {
        internal override async Task ServeAsync(FrameReader requests, FrameWriter answers, GrpcCall call)
        {
            var request = await ReadOneAsync(requests, parser, call.Stop);
            answers.Write(await serve(request, call));
        }
    }

    /// <summary>One message in, any number out.</summary>
    internal sealed class ServerStreaming<TRequest, TAnswer>(MessageParser<TRequest> parser, Func<TRequest, GrpcCall, IAsyncEnumerable<TAnswer>> serve) : GrpcMethod
        where TRequest : IMessage<TRequest>
        where TAnswer : IMessage<TAnswer>
    {
        internal override async Task ServeAsync(FrameReader requests, FrameWriter answers, GrpcCall call)
        {
            var request = await ReadOneAsync(requests, parser, call.Stop);
            await foreach (var answer in serve(request, call).WithCancellation(call.Stop))
            {
                answers.Write(answer);
                await answers.FlushAsync(call.Stop);
            }
        }
    }
}
