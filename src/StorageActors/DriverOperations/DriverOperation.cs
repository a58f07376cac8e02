using StorageActors.Protocol;

namespace StorageActors.DriverOperations;

/// <summary>
/// One blocking piece of work, described by an immutable record that is safe to send: run by a <see cref="DriverOperationActor"/>, on a thread
/// of its lane. It throws what <see cref="Drivers.ILayerDriver"/> throws; a raw error of a system call is sorted by its errno.
/// </summary>
internal abstract record DriverOperation
{
    /// <summary>The verb, for errors, logs and metrics: <c>mount</c>.</summary>
    internal abstract string Verb { get; }

    /// <summary>The layer that it changes: operations of one layer run one after the other, in the order they came. Null when it changes none.</summary>
    internal virtual LayerId? Turn => null;

    /// <summary>The threads that it runs on.</summary>
    internal virtual OperationLane Lane => OperationLane.Short;

    /// <summary>Whether it may be run again after a transient failure.</summary>
    internal virtual bool Repeatable => true;

    internal abstract DriverProtocol.IReply Run(long attempt, DriverServices services, CancellationToken stop);
}

/// <summary>An operation with a result.</summary>
/// <typeparam name="TResult">Arrives in a <see cref="DriverProtocol.Completed{T}"/> of the same type.</typeparam>
internal abstract record DriverOperation<TResult> : DriverOperation
{
    internal abstract TResult Execute(DriverServices services, CancellationToken stop);

    internal sealed override DriverProtocol.IReply Run(long attempt, DriverServices services, CancellationToken stop) =>
        new DriverProtocol.Completed<TResult>(attempt, Execute(services, stop));
}

/// <summary>Which threads an operation runs on: what takes minutes must not keep a mount waiting.</summary>
internal enum OperationLane
{
    /// <summary>Milliseconds: mounts, renames, small files. <c>storage-actors.driver-dispatcher</c>.</summary>
    Short,

    /// <summary>As long as content is large: extraction, diffs, sealing, verification. <c>storage-actors.content-dispatcher</c>.</summary>
    Content,

    /// <summary>Nobody waits for it: deletion, one tree at a time. <c>storage-actors.trash-dispatcher</c>.</summary>
    Trash,
}
