using StorageActors.Grpc.Calls;

namespace StorageActors.Grpc.Serving;

/// <summary>How calls are served.</summary>
public sealed record GrpcOptions
{
    /// <summary>Most bytes of one message, either way; what gRPC's clients take, too, unless they are told otherwise.</summary>
    public int MaximumMessage { get; init; } = 16 * 1024 * 1024;

    /// <summary>Gives exceptions that are no <see cref="GrpcException"/> a status; null for those that it does not know.</summary>
    public Func<Exception, GrpcException?> Translate { get; init; } = static _ => null;

    /// <summary>Is told of each call that ended.</summary>
    public Action<GrpcCallReport> Ended { get; init; } = static _ => { };

    /// <summary>Gets one text for each defect: an exception that has no status.</summary>
    public Action<string> Report { get; init; } = static _ => { };

    /// <summary>The clock of deadlines and durations.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
