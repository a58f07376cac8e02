using Microsoft.Extensions.Hosting;

namespace StorageActors.Node.Server;

/// <summary>Keeps the host from taking SIGINT and SIGTERM for itself: when to drain is the caller's decision.</summary>
internal sealed class SignalsAreTheCallers : IHostLifetime
{
    /// <inheritdoc/>
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
