using StorageActors.Protocol;

namespace StorageActors.Node.Wire;

/// <summary>The HTTP status that goes with a refusal. A client decides by the code in the body; the status is for tools in between.</summary>
public static class ErrorStatus
{
    /// <summary>The status for <paramref name="code"/>.</summary>
    /// <param name="code">The kind of refusal.</param>
    public static int Of(StorageErrorCode code) => code switch
    {
        StorageErrorCode.InvalidArgument => 400,
        StorageErrorCode.NotFound => 404,
        StorageErrorCode.AlreadyExists or StorageErrorCode.WrongState => 409,
        StorageErrorCode.LimitExceeded => 413,
        StorageErrorCode.BadInput or StorageErrorCode.DigestMismatch => 422,
        StorageErrorCode.InUse => 423,
        StorageErrorCode.Cancelled => 499,
        StorageErrorCode.Unsupported => 501,
        StorageErrorCode.Busy or StorageErrorCode.ShuttingDown => 503,
        StorageErrorCode.NoSpace => 507,
        _ => 500,
    };
}
