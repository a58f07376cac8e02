namespace StorageActors.Grpc.Calls;

/// <summary>Thrown by a method to end its call with a status other than OK; the caller gets the code and the message.</summary>
/// <param name="code">The status.</param>
/// <param name="message">For people; any text, it is encoded on the way.</param>
/// <param name="inner">What caused it; stays here.</param>
public sealed class GrpcException(GrpcStatusCode code, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>The status.</summary>
    public GrpcStatusCode Code { get; } = code;
}
