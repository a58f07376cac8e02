namespace StorageActors.Grpc.Calls;

/// <summary>How a call ended, by the numbers of the gRPC specification.</summary>
public enum GrpcStatusCode
{
    /// <summary>It was done.</summary>
    Ok = 0,

    /// <summary>The caller gave it up.</summary>
    Cancelled = 1,

    /// <summary>It failed, and nobody can say how.</summary>
    Unknown = 2,

    /// <summary>The request makes no sense, whatever the state of the service.</summary>
    InvalidArgument = 3,

    /// <summary>The caller's time was up.</summary>
    DeadlineExceeded = 4,

    /// <summary>What the request names is not there.</summary>
    NotFound = 5,

    /// <summary>What was to be made is there already.</summary>
    AlreadyExists = 6,

    /// <summary>The caller may not.</summary>
    PermissionDenied = 7,

    /// <summary>A limit was met: the size of a message, space on a disk.</summary>
    ResourceExhausted = 8,

    /// <summary>The service is not in the state that the request needs.</summary>
    FailedPrecondition = 9,

    /// <summary>Another call got in between.</summary>
    Aborted = 10,

    /// <summary>The request reads past the end.</summary>
    OutOfRange = 11,

    /// <summary>The service does not have the method.</summary>
    Unimplemented = 12,

    /// <summary>A rule that always holds is broken: a defect of the service, or bytes that are no message.</summary>
    Internal = 13,

    /// <summary>Not now; the caller may try again.</summary>
    Unavailable = 14,

    /// <summary>Data is lost or damaged.</summary>
    DataLoss = 15,

    /// <summary>The caller has not said who he is.</summary>
    Unauthenticated = 16,
}
