using System.Threading.Channels;
using Microsoft.AspNetCore.Http;
using StorageActors.Client;
using StorageActors.Node.Wire;
using StorageActors.Protocol;

namespace StorageActors.Node.Server;

/// <summary>The progress of one extraction, a JSON document a line, until it is done or failed.</summary>
internal sealed class ProgressEndpoint(Func<IStorageChannel> openChannel, CancellationToken draining)
{
    internal async Task ServeAsync(HttpContext context)
    {
        var ticket = ReadTicket(context);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, draining);
        // Only the latest matters to a slow reader; the final one is never the one that is dropped.
        var events = Channel.CreateBounded<StagingProgress>(new BoundedChannelOptions(16) { FullMode = BoundedChannelFullMode.DropOldest });
        await using var channel = openChannel();
        using var watch = channel.WatchProgress(ticket, new Observer(events.Writer));

        context.Response.ContentType = "application/x-ndjson";
        await context.Response.Body.FlushAsync(stop.Token);
        try
        {
            await foreach (var progress in events.Reader.ReadAllAsync(stop.Token))
            {
                await context.Response.Body.WriteAsync(WireJson.Write(progress), stop.Token);
                await context.Response.Body.WriteAsync("\n"u8.ToArray(), stop.Token);
                await context.Response.Body.FlushAsync(stop.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The client has gone, or the node is stopping: a stream that just ends says both.
        }
    }

    private static TicketId ReadTicket(HttpContext context)
    {
        try { return TicketId.Parse(context.Request.Query["ticket"].ToString()); }
        catch (FormatException e) { throw new StorageException(NodeEndpoints.Invalid(context, e.Message), e); }
    }

    private sealed class Observer(ChannelWriter<StagingProgress> events) : IProgress<StagingProgress>
    {
        public void Report(StagingProgress value)
        {
            events.TryWrite(value);
            if (value.Phase is StagingPhase.Done or StagingPhase.Failed) events.TryComplete();
        }
    }
}
