using StorageActors.Client;
using StorageActors.Containerd.Diffs;
using StorageActors.Containerd.Snapshots;
using StorageActors.Grpc.Calls;
using StorageActors.Grpc.Serving;
using StorageActors.Protocol;

namespace StorageActors.Containerd.Serving;

/// <summary>
/// A store as containerd's proxy plugins of the types <c>snapshot</c> and <c>diff</c>. containerd removes every snapshot that it does not know, so an endpoint
/// sees only the layers that were made through it.
/// </summary>
public static class ContainerdDoor
{
    /// <summary>The services of one endpoint, to be served on one socket.</summary>
    /// <param name="endpoint">Its name, unique in the store and the same after a restart: by it the endpoint knows its snapshots again.</param>
    /// <param name="contentRoot">Where containerd keeps blobs, <c>&lt;root&gt;/io.containerd.content.v1.content</c>; without it, layers are extracted by containerd itself.</param>
    /// <param name="store">The store; its leases end with its channel.</param>
    public static IReadOnlyList<GrpcService> Services(string endpoint, string? contentRoot, StorageClient store) =>
    [
        new SnapshotsService(new Snapshotter(endpoint, store, TimeProvider.System)).ToService(),
        new DiffService(endpoint, contentRoot, store).ToService(),
    ];

    /// <summary>The status of a refusal of the store.</summary>
    /// <param name="exception">Any.</param>
    public static GrpcException? Translate(Exception exception) =>
        exception is StorageException { Error: var error } ? new GrpcException(CodeOf(error.Code), error.ToString(), exception) : null;

    private static GrpcStatusCode CodeOf(StorageErrorCode code) => code switch
    {
        StorageErrorCode.NotFound => GrpcStatusCode.NotFound,
        StorageErrorCode.AlreadyExists => GrpcStatusCode.AlreadyExists,
        StorageErrorCode.InvalidArgument or StorageErrorCode.BadInput => GrpcStatusCode.InvalidArgument,
        // Unsupported, too: "unimplemented" would send a client to another service with work that was begun here.
        StorageErrorCode.InUse or StorageErrorCode.WrongState or StorageErrorCode.Unsupported => GrpcStatusCode.FailedPrecondition,
        StorageErrorCode.LimitExceeded or StorageErrorCode.NoSpace => GrpcStatusCode.ResourceExhausted,
        StorageErrorCode.Busy or StorageErrorCode.ShuttingDown => GrpcStatusCode.Unavailable,
        StorageErrorCode.Cancelled => GrpcStatusCode.Cancelled,
        StorageErrorCode.DigestMismatch or StorageErrorCode.Damaged => GrpcStatusCode.DataLoss,
        _ => GrpcStatusCode.Internal,
    };
}
