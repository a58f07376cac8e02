using System.Runtime.CompilerServices;
using Google.Protobuf.Collections;
using Google.Protobuf.WellKnownTypes;
using StorageActors.Containerd.Wire;
using StorageActors.Grpc.Calls;
using StorageActors.Grpc.Serving;
using StorageActors.Protocol;

namespace StorageActors.Containerd.Snapshots;

/// <summary><c>containerd.services.snapshots.v1.Snapshots</c>: messages to calls of the <see cref="Snapshotter"/> and back.</summary>
internal sealed class SnapshotsService(Snapshotter snapshotter)
{
    private const int InfosPerMessage = 100;
    private const int BytesPerMessage = 1 << 20;

    /// <summary>The service as it is served.</summary>
    internal GrpcService ToService() => new GrpcService("containerd.services.snapshots.v1.Snapshots")
        .Unary("Prepare", MakeSnapshotRequest.Parser, (request, call) => MakeAsync(request, isView: false, call))
        .Unary("View", MakeSnapshotRequest.Parser, (request, call) => MakeAsync(request, isView: true, call))
        .Unary("Mounts", SnapshotRequest.Parser, MountsAsync)
        .Unary("Commit", CommitSnapshotRequest.Parser, CommitAsync)
        .Unary("Remove", SnapshotRequest.Parser, RemoveAsync)
        .Unary("Stat", SnapshotRequest.Parser, StatAsync)
        .Unary("Update", UpdateSnapshotRequest.Parser, UpdateAsync)
        .ServerStreaming("List", ListSnapshotsRequest.Parser, (request, call) => ListAsync(request, call.Stop))
        .Unary("Usage", SnapshotRequest.Parser, UsageAsync)
        .Unary("Cleanup", CleanupRequest.Parser, static (_, _) => Task.FromResult(new Empty())); // What was removed is being deleted already.

    private async Task<MountsResponse> MakeAsync(MakeSnapshotRequest request, bool isView, GrpcCall call) =>
        Answer(await snapshotter.MakeAsync(request.Key, request.Parent, isView, Labels(request.Labels), call.Stop));

    private async Task<MountsResponse> MountsAsync(SnapshotRequest request, GrpcCall call) => Answer(await snapshotter.MountsAsync(request.Key, call.Stop));

    private async Task<Empty> CommitAsync(CommitSnapshotRequest request, GrpcCall call)
    {
        await snapshotter.CommitAsync(request.Key, request.Name, request.Parent, Labels(request.Labels), call.Stop);
        return new Empty();
    }

    private async Task<Empty> RemoveAsync(SnapshotRequest request, GrpcCall call)
    {
        await snapshotter.RemoveAsync(request.Key, call.Stop);
        return new Empty();
    }

    private async Task<SnapshotInfoResponse> StatAsync(SnapshotRequest request, GrpcCall call) => new() { Info = Info(await snapshotter.GetAsync(request.Key, call.Stop)) };

    private async Task<SnapshotInfoResponse> UpdateAsync(UpdateSnapshotRequest request, GrpcCall call)
    {
        var info = request.Info ?? throw new GrpcException(GrpcStatusCode.InvalidArgument, "the request says nothing of a snapshot");
        var paths = request.UpdateMask?.Paths ?? [];
        return new() { Info = Info(await snapshotter.UpdateAsync(info.Name, Labels(info.Labels), paths, call.Stop)) };
    }

    private async IAsyncEnumerable<ListSnapshotsResponse> ListAsync(ListSnapshotsRequest request, [EnumeratorCancellation] CancellationToken stop)
    {
        var filters = Filters(request.Filters);
        var message = new ListSnapshotsResponse();
        var size = 0;
        foreach (var snapshot in await snapshotter.ListAsync(stop))
        {
            if (filters.Count > 0 && !filters.Any(filter => filter.Accepts(snapshot))) continue;
            var info = Info(snapshot);
            size += info.CalculateSize();
            message.Info.Add(info);
            if (message.Info.Count < InfosPerMessage && size < BytesPerMessage) continue;
            yield return message;
            (message, size) = (new ListSnapshotsResponse(), 0);
        }

        if (message.Info.Count > 0) yield return message;
    }

    private async Task<UsageResponse> UsageAsync(SnapshotRequest request, GrpcCall call)
    {
        var (bytes, inodes) = await snapshotter.MeasureAsync(request.Key, call.Stop);
        return new() { Size = bytes, Inodes = inodes };
    }

    private static List<SnapshotFilter> Filters(IEnumerable<string> texts)
    {
        try
        {
            return [.. texts.Select(SnapshotFilter.Parse)];
        }
        catch (FormatException e)
        {
            throw new GrpcException(GrpcStatusCode.InvalidArgument, e.Message, e);
        }
    }

    private static Dictionary<string, string> Labels(MapField<string, string> labels) => labels.ToDictionary(StringComparer.Ordinal);

    private static MountsResponse Answer(IReadOnlyList<MountStep> steps)
    {
        var answer = new MountsResponse();
        foreach (var step in steps) answer.Mounts.Add(new Mount { Type = step.Type, Source = step.Source, Options = { step.Options } });
        return answer;
    }

    private static SnapshotInfo Info(Snapshot snapshot)
    {
        var info = new SnapshotInfo
        {
            Name = snapshot.Key,
            Parent = snapshot.Parent,
            Kind = snapshot.State switch
            {
                SnapshotState.View => SnapshotKind.View,
                SnapshotState.Active => SnapshotKind.Active,
                _ => SnapshotKind.Committed,
            },
            CreatedAt = Timestamp.FromDateTimeOffset(snapshot.Created),
            UpdatedAt = Timestamp.FromDateTimeOffset(snapshot.Updated),
        };
        foreach (var (label, value) in snapshot.Labels) info.Labels.Add(label, value);
        return info;
    }
}
