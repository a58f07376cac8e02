namespace StorageActors.Grpc.Calls;

/// <summary>A call that ended, for whoever counts them.</summary>
/// <param name="Method">What was called, <c>package.Service/Method</c>; of a method that no service has, the one word <c>unknown</c>.</param>
/// <param name="Status">How it ended.</param>
/// <param name="Duration">From its first header to its last trailer.</param>
public sealed record GrpcCallReport(string Method, GrpcStatusCode Status, TimeSpan Duration);
