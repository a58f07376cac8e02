using System.Runtime.CompilerServices;
using Google.Protobuf.WellKnownTypes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using StorageActors.Grpc.Calls;
using StorageActors.Grpc.Serving;
using StorageActors.TestSupport;

namespace StorageActors.UnitTests.Grpc;

/// <summary>A few methods behind a real Kestrel on a unix socket.</summary>
internal sealed class ServedMethods : IAsyncDisposable
{
    internal const int MaximumMessage = 1 << 20;
    private readonly TempDirectory _directory = new();
    private readonly TaskCompletionSource _entered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _left = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private WebApplication _application = null!;

    internal List<GrpcCallReport> Ended { get; } = [];

    /// <summary>Completes when a call of Wait has arrived.</summary>
    internal Task Entered => _entered.Task;

    /// <summary>Completes when a call of Wait has been given up.</summary>
    internal Task Left => _left.Task;

    internal GrpcTestClient Client { get; private set; } = null!;

    internal static async Task<ServedMethods> StartAsync()
    {
        var served = new ServedMethods();
        var socket = Path.Combine(served._directory.Path, "s");
        var endpoint = new GrpcEndpoint([served.Service()], new GrpcOptions { MaximumMessage = MaximumMessage, Ended = served.Note });
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.ListenUnixSocket(socket, static listen => listen.Protocols = HttpProtocols.Http2);
        });
        served._application = builder.Build();
        served._application.Run(endpoint.ServeAsync);
        await served._application.StartAsync();
        served.Client = new GrpcTestClient(socket);
        return served;
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _application.StopAsync();
        await _application.DisposeAsync();
        _directory.Dispose();
    }

    private GrpcService Service() => new GrpcService("test.Words")
        .Unary("Echo", StringValue.Parser, static (request, call) => Task.FromResult(new StringValue { Value = request.Value + call.Header("x-more") }))
        .Unary("Length", BytesValue.Parser, static (request, _) => Task.FromResult(new Int64Value { Value = request.Value.Length }))
        .Unary("Refuse", StringValue.Parser, static Task<Empty> (request, _) => throw new GrpcException(GrpcStatusCode.FailedPrecondition, request.Value))
        .Unary("Break", Empty.Parser, static Task<Empty> (_, _) => throw new InvalidOperationException("a defect"))
        .Unary("Wait", Empty.Parser, WaitAsync)
        .ServerStreaming("Count", Int64Value.Parser, static (request, call) => CountAsync(request.Value, call.Stop));

    private async Task<Empty> WaitAsync(Empty request, GrpcCall call)
    {
        _entered.TrySetResult();
        try
        {
            await Task.Delay(Timeout.Infinite, call.Stop);
        }
        finally
        {
            _left.TrySetResult();
        }

        return request;
    }

    /// <summary>So many numbers; of a negative one as many, and then an error.</summary>
    private static async IAsyncEnumerable<Int64Value> CountAsync(long count, [EnumeratorCancellation] CancellationToken stop)
    {
        for (var number = 1; number <= Math.Abs(count); number++)
        {
            await Task.Yield();
            stop.ThrowIfCancellationRequested();
            yield return new Int64Value { Value = number };
        }

        if (count < 0) throw new GrpcException(GrpcStatusCode.OutOfRange, "too far");
    }

    private void Note(GrpcCallReport report)
    {
        lock (Ended) Ended.Add(report);
    }
}
