using StorageActors.Archive.Compression;
using StorageActors.Archive.Tar;
using StorageActors.Drivers;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.DriverOperations;

/// <summary>What an operation's exception means to its supervisor and to its requester.</summary>
internal static class Failure
{
    /// <summary>
    /// The exception by which the supervisor decides. Drivers throw the three kinds themselves; everything else that is no defect of ours is made one of
    /// them here. A defect stays what it is.
    /// </summary>
    internal static Exception Sort(Exception exception, DriverOperation operation, CancellationToken stop) => exception switch
    {
        OperationCanceledException when stop.IsCancellationRequested => Refuse(StorageErrorCode.Cancelled, operation, "it was cancelled", exception),
        TransientDriverException transient when !operation.Repeatable => new PermanentDriverException(transient.Error, transient),
        DriverException => exception,
        StorageException refusal => new PermanentDriverException(refusal.Error, refusal),
        TarFormatException { Fault: TarFault.LimitExceeded } => Refuse(StorageErrorCode.LimitExceeded, operation, exception.Message, exception),
        TarFormatException => Refuse(StorageErrorCode.BadInput, operation, exception.Message, exception),
        InputTooLargeException => Refuse(StorageErrorCode.LimitExceeded, operation, exception.Message, exception),
        CompressedDataException => Refuse(StorageErrorCode.BadInput, operation, exception.Message, exception),
        LinuxException linux => Sort(DriverErrors.Translate(linux, operation.Verb, linux.Path)!, operation, stop),
        IOException or UnauthorizedAccessException => Refuse(StorageErrorCode.Io, operation, exception.Message, exception),
        _ => exception,
    };

    /// <summary>What the requester is told.</summary>
    internal static StorageError Describe(Exception exception, DriverOperation operation) => exception is DriverException driver ? driver.Error
        : new StorageError(StorageErrorCode.Internal, operation.Verb, $"a defect of the store, {exception.GetType().Name}: {exception.Message}; its log has the stack");

    private static PermanentDriverException Refuse(StorageErrorCode code, DriverOperation operation, string what, Exception inner) =>
        new(new StorageError(code, operation.Verb, what), inner);
}
