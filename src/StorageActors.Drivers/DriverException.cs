using StorageActors.Protocol;

namespace StorageActors.Drivers;

/// <summary>A driver's operation failed; the error says operation, path, errno and what to do.</summary>
internal abstract class DriverException(StorageError error, Exception? inner) : Exception(error.ToString(), inner)
{
    internal StorageError Error { get; } = error;
}

/// <summary>May work when tried again: EBUSY, EAGAIN, EINTR, ESTALE, ENOMEM, EMFILE, ENFILE.</summary>
internal sealed class TransientDriverException(StorageError error, Exception? inner = null) : DriverException(error, inner);

/// <summary>Will fail again: EINVAL, ENOSPC, a wrong digest, malformed input.</summary>
internal sealed class PermanentDriverException(StorageError error, Exception? inner = null) : DriverException(error, inner);

/// <summary>The store on disk is not what it must be; serving on would make it worse.</summary>
internal sealed class StoreCorruptException(StorageError error, Exception? inner = null) : DriverException(error, inner);
