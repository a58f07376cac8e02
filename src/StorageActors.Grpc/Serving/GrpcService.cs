using Google.Protobuf;
using StorageActors.Grpc.Calls;

namespace StorageActors.Grpc.Serving;

/// <summary>A service by its name on the wire, and its methods. Complete it before it is served.</summary>
/// <param name="name">With its package: <c>containerd.services.snapshots.v1.Snapshots</c>.</param>
public sealed class GrpcService(string name)
{
    private readonly Dictionary<string, GrpcMethod> _methods = new(StringComparer.Ordinal);

    /// <summary>Its methods by their paths, <c>/package.Service/Method</c>.</summary>
    internal IReadOnlyDictionary<string, GrpcMethod> Methods => _methods;

    /// <summary>Adds a method that takes one message and answers one.</summary>
    /// <typeparam name="TRequest">What it takes.</typeparam>
    /// <typeparam name="TAnswer">What it answers.</typeparam>
    /// <param name="method">Its name on the wire.</param>
    /// <param name="parser">Reads its request.</param>
    /// <param name="serve">What it does; throws <see cref="GrpcException"/> for any status but OK.</param>
    public GrpcService Unary<TRequest, TAnswer>(string method, MessageParser<TRequest> parser, Func<TRequest, GrpcCall, Task<TAnswer>> serve)
        where TRequest : IMessage<TRequest>
        where TAnswer : IMessage<TAnswer> => Add(method, new GrpcMethod.Unary<TRequest, TAnswer>(parser, serve));

    /// <summary>Adds a method that takes one message and answers a stream; each message is sent when it is there.</summary>
    /// <typeparam name="TRequest">What it takes.</typeparam>
    /// <typeparam name="TAnswer">What its stream has.</typeparam>
    /// <param name="method">Its name on the wire.</param>
    /// <param name="parser">Reads its request.</param>
    /// <param name="serve">What it does; an exception ends the stream with its status.</param>
    public GrpcService ServerStreaming<TRequest, TAnswer>(string method, MessageParser<TRequest> parser, Func<TRequest, GrpcCall, IAsyncEnumerable<TAnswer>> serve)
        where TRequest : IMessage<TRequest>
        where TAnswer : IMessage<TAnswer> => Add(method, new GrpcMethod.ServerStreaming<TRequest, TAnswer>(parser, serve));

    private GrpcService Add(string method, GrpcMethod served)
    {
        _methods.Add($"/{name}/{method}", served);
        return this;
    }
}
