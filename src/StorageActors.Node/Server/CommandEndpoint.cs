using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using StorageActors.Client;
using StorageActors.Node.Wire;
using StorageActors.Protocol;

namespace StorageActors.Node.Server;

/// <summary>A command in, its reply out; the same few lines for every command.</summary>
internal sealed class CommandEndpoint(Func<IStorageChannel> openChannel)
{
    internal async Task ServeAsync(HttpContext context, Type type)
    {
        if (!HttpMethods.IsPost(context.Request.Method)) throw new StorageException(NodeEndpoints.Invalid(context, "a command is sent with POST"));
        var command = await ReadAsync(context, type);

        // The channel lives as long as the request: when its client goes away, its holder ends, and what the holder owns is cancelled.
        await using var channel = openChannel();
        command = command switch
        {
            StoreProtocol.Apply apply => apply with { Owner = channel.Holder },
            StoreProtocol.Fill fill => fill with { Owner = channel.Holder },
            _ => command,
        };
        var reply = await channel.AskAsync<StoreProtocol.IReply>(command, context.RequestAborted);
        if (reply is StoreProtocol.Refused refused) throw new StorageException(refused.Error);
        await NodeEndpoints.Answer(context, reply);
    }

    private static async Task<StoreProtocol.ICommand> ReadAsync(HttpContext context, Type type)
    {
        // Commands without fields may be sent without a body; clients then say that it has no bytes, or nothing about it.
        var isEmpty = context.Request.ContentLength == 0 || context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody == false;
        await using var body = isEmpty ? new MemoryStream("{}"u8.ToArray()) : context.Request.Body;
        return (StoreProtocol.ICommand)await WireJson.ReadCommandAsync(body, type, context.RequestAborted);
    }
}
