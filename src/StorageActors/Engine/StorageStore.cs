using Akka.Actor;
using StorageActors.Client;
using StorageActors.Protocol;
using StorageActors.Settings;
using StorageActors.Store;
using StorageActors.Transfers;

namespace StorageActors.Engine;

/// <summary>One store of an actor system.</summary>
public sealed class StorageStore
{
    /// <summary>Beyond what the store gives itself to come to an end.</summary>
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(5);

    private readonly ActorSystem _system;
    private readonly TransferTable _transfers;
    private readonly TimeSpan _patience;

    private StorageStore(ActorSystem system, StorageSettings settings, IActorRef actor, TransferTable transfers)
    {
        (_system, Actor, _transfers, _patience) = (system, actor, transfers, StoreSupervisor.LongestStop(settings.DrainTimeout) + Margin);
        (Path, Root) = (settings.Path, settings.Root);
    }

    /// <summary>The section of the configuration that it is made from.</summary>
    public string Path { get; }

    /// <summary>Its root directory.</summary>
    public string Root { get; }

    /// <summary>Its one address.</summary>
    public IActorRef Actor { get; }

    /// <summary>A way to the store from this process. Disposing it ends the leases that were taken through it.</summary>
    public IStorageChannel OpenChannel() => new ActorStorageChannel(_system, Actor, _transfers);

    /// <summary>Waits until the store serves.</summary>
    /// <param name="stop">Gives up waiting.</param>
    /// <exception cref="StorageException">It cannot be opened: in use by another engine, damaged, of an unknown format, …</exception>
    public async Task WhenReadyAsync(CancellationToken stop = default)
    {
        var answer = await Actor.Ask<object>(new StoreInternal.WhenReady(), timeout: null, stop).ConfigureAwait(false);
        if (answer is StoreProtocol.Refused refused) throw new StorageException(refused.Error);
    }

    /// <summary>
    /// Gives up a stream that a host opened and cannot serve to its end: of an upload the engine gets an error, not an end. Nothing happens when it is
    /// closed already.
    /// </summary>
    /// <param name="id">The stream.</param>
    /// <param name="reason">Why, in a few words.</param>
    public void AbortTransfer(TransferId id, string reason) => _transfers.Abort(id, reason);

    /// <summary>
    /// Stops the store: lets running commands end for a while, cancels the rest, releases what actors of this system hold, and gives the store free for
    /// another engine. Mounts whose leases belong to nobody stay.
    /// </summary>
    public async Task StopAsync()
    {
        try
        {
            await Actor.GracefulStop(_patience, new StoreInternal.Stop()).ConfigureAwait(false);
        }
        catch (TaskCanceledException)
        {
            _system.Stop(Actor); // Something does not come to an end; the next start puts it right.
        }
        finally
        {
            _transfers.Dispose();
        }
    }

    internal static StorageStore Start(ExtendedActorSystem system, StorageSettings settings, string? socket, OpenDriver openDriver, TimeProvider time)
    {
        var transfers = new TransferTable(time);
        var setup = new StoreSetup(settings, transfers, openDriver, time, socket);
        var actor = system.ActorOf(StoreSupervisor.Props(setup), NameOf(settings.Path));
        var store = new StorageStore(system, settings, actor, transfers);
        CoordinatedShutdown.Get(system).AddTask(CoordinatedShutdown.PhaseServiceRequestsDone, $"stop {settings.Path}", async () =>
        {
            await store.StopAsync().ConfigureAwait(false);
            return Akka.Done.Instance;
        });
        return store;
    }

    /// <summary><c>/user/storage</c>, and for other sections <c>/user/storage-</c> and their name.</summary>
    private static string NameOf(string path) =>
        path == StorageSettings.DefaultPath ? "storage" : "storage-" + path.Replace("storage-actors-", "", StringComparison.Ordinal).Replace('.', '-');
}
