using Akka.Actor;
using Akka.Event;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Akka.Hosting;

/// <summary>Starts the actor system with the host, and ends each when the other does.</summary>
public sealed class AkkaHostedService(IServiceProvider services, IHostApplicationLifetime lifetime) : IHostedService
{
    private ActorSystem? _system;
    private int _stopping;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            var builder = services.GetRequiredService<AkkaConfigurationBuilder>();
            _system = services.GetRequiredService<ActorSystem>();
            await builder.StartAsync(_system).ConfigureAwait(false);
            _ = StopHostAfterAsync(_system);
        }
        catch (Exception cause)
        {
            // The logger of a failing system may never come to print it.
            await Console.Error.WriteLineAsync($"Unable to start the actor system: {cause}").ConfigureAwait(false);
            if (_system is not null)
            {
                _system.Log.Error(cause, "Unable to start the actor system");
                await StopAsync(CancellationToken.None).ConfigureAwait(false);
            }
            throw;
        }
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_system is null || Interlocked.Exchange(ref _stopping, 1) == 1) return;
        await CoordinatedShutdown.Get(_system).Run(CoordinatedShutdown.ClrExitReason.Instance).ConfigureAwait(false);
    }

    private async Task StopHostAfterAsync(ActorSystem system)
    {
        await system.WhenTerminated.ConfigureAwait(false);
        if (Volatile.Read(ref _stopping) == 0) lifetime.StopApplication();
    }
}
