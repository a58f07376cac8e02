using Microsoft.AspNetCore.Http;

namespace StorageActors.Grpc.Calls;

/// <summary>One call while it is served.</summary>
public sealed class GrpcCall
{
    private readonly IHeaderDictionary _headers;

    internal GrpcCall(string method, IHeaderDictionary headers, CancellationToken stop) => (Method, _headers, Stop) = (method, headers, stop);

    /// <summary>What was called: <c>package.Service/Method</c>.</summary>
    public string Method { get; }

    /// <summary>Cancelled when the caller gives up, vanishes, or has no time left.</summary>
    public CancellationToken Stop { get; }

    /// <summary>A header of the call; null when it was not sent.</summary>
    /// <param name="name">Its name, in any case.</param>
    public string? Header(string name) => _headers.TryGetValue(name, out var values) ? values.ToString() : null;
}
