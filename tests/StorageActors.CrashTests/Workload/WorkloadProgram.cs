using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Akka.Configuration;
using StorageActors.CrashTests.Model;
using StorageActors.Engine;
using StorageActors.Protocol;

namespace StorageActors.CrashTests.Workload;

/// <summary>What the process that is going to be killed does.</summary>
/// <param name="Root">The store.</param>
/// <param name="Blobs">A directory elsewhere for the tars that are applied.</param>
/// <param name="Seed">Of all that is random.</param>
/// <param name="Steps">How many steps each worker does before it ends by itself.</param>
/// <param name="LeaseCycles">How often a lease is taken and given back at first.</param>
/// <param name="Store">The store's settings.</param>
/// <param name="Models">Where the workers stand.</param>
/// <param name="Lives">How many engines it starts and stops, one after the other.</param>
internal sealed record WorkloadOrder(
    string Root, string Blobs, int Seed, int Steps, int LeaseCycles, StoreKind Store, ImmutableList<WorkerModel> Models, int Lives = 1);

/// <summary>The process that dies: an engine with several clients who work at the same time.</summary>
internal static class WorkloadProgram
{
    /// <summary>Reads its order from a file and works until it is done or killed.</summary>
    internal static async Task<int> RunAsync(string orderFile)
    {
        var log = new WorkloadLog(Console.OpenStandardOutput());
        Console.SetOut(Console.Error); // Akka's own log must not get in between.
        try
        {
            var order = JsonSerializer.Deserialize<WorkloadOrder>(await File.ReadAllTextAsync(orderFile).ConfigureAwait(false))!;
            for (var life = 0; life < order.Lives; life++) order = order with { Models = await LiveAsync(order, life, log).ConfigureAwait(false) };
            return 0;
        }
        catch (Exception e) when (e is StorageException or IOException or InvalidOperationException or KeyNotFoundException)
        {
            log.Fault(e.ToString());
            return 3;
        }
    }

    /// <summary>Snapshots come often, so that deaths meet them.</summary>
    internal static Config Configure(string root, StoreKind store, string logLevel) => ConfigurationFactory.ParseString(string.Create(CultureInfo.InvariantCulture, $$"""
        akka.loglevel = {{logLevel}}
        akka.stdout-loglevel = {{logLevel}}
        storage-actors.root = "{{root}}"
        storage-actors.driver = overlay
        storage-actors.durability = {{store.Durability}}
        storage-actors.catalog { snapshot-every = 7, pack-from = {{store.PackFrom}} }
        """));

    /// <summary>One engine, from its start to its stop. What its clients held for themselves ends with it.</summary>
    private static async Task<ImmutableList<WorkerModel>> LiveAsync(WorkloadOrder order, int life, WorkloadLog log)
    {
        // An engine that is not the first finds the store as its like has left it, and has another size for a large one.
        var store = life == 0 ? order.Store : order.Store with { PackFrom = StoreKind.AnyPackFrom(new Random(HashCode(order.Seed, life))) };
        var engine = await StorageEngine.StartAsync(Configure(order.Root, store, "WARNING")).ConfigureAwait(false);
        await using var stopping = engine.ConfigureAwait(false);
        log.Ready();
        var workers = order.Models.Select(model => new Worker(engine.Client, log, model, new Random(HashCode(order.Seed + life, model.Worker)), order.Blobs)).ToList();
        await workers[0].TourAsync().ConfigureAwait(false);
        if (order.LeaseCycles > 0) await workers[0].CycleLeasesAsync(order.LeaseCycles).ConfigureAwait(false);
        await Task.WhenAll(workers.Select(worker => Task.Run(() => worker.WorkAsync(order.Steps)))).ConfigureAwait(false);
        log.Stopping();
        return [.. workers.Select(static worker => worker.Model)];
    }

    private static int HashCode(int seed, int worker) => unchecked((seed * 31) + worker);
}
