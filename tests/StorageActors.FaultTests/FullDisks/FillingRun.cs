using Akka.Configuration;
using StorageActors.Engine;
using StorageActors.FaultTests.Host;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.FaultTests.FullDisks;

/// <summary>
/// A container that fills the store's disk, and what the store must still be able to do then. It runs in a process of its own, since a file system that is full may
/// end one (SIGBUS).
/// </summary>
internal static class FillingRun
{
    private static readonly LayerId Container = LayerId.Parse("container");
    private static readonly LayerId Other = LayerId.Parse("other");

    /// <summary>Says each step and its outcome; returns 0 when all is as it must be.</summary>
    internal static async Task<int> RunAsync(string directory)
    {
        var store = Path.Combine(directory, "store");
        var tar = Path.Combine(directory, "layer.tar");
        await File.WriteAllBytesAsync(tar, SampleLayers.Child);
        var faults = 0;
        await using (var engine = await StartAsync(store))
        {
            var image = (await engine.Client.ApplyAsync(new StoreProtocol.Apply(
                null, [new StoreProtocol.ChainItem(BlobSource.File(tar), new StoreProtocol.LayerSpec(LayerId.Parse("image")), new StoreProtocol.Expectations())])))[0].Layer;
            await engine.Client.CreateAsync(image.Id, new StoreProtocol.LayerSpec(Container));
            await engine.Client.CreateAsync(image.Id, new StoreProtocol.LayerSpec(Other));
            var lease = await engine.Client.MountAsync(Container, outlive: true);
            var second = await engine.Client.MountAsync(Other);
            Fill(lease.Path);

            await StepAsync("list", async () => await engine.Client.ListLayersAsync());
            await StepAsync("one more lease", async () => await (await engine.Client.MountAsync(Container)).DisposeAsync());
            await StepAsync("unmount what lasts", () => engine.Client.Channel.AskAsync<LayerProtocol.Released>(new LayerProtocol.Release(Container, lease.Acquired.Lease)));
            await StepAsync("unmount what ends with the process", async () => await second.DisposeAsync());
            Expect("nothing is mounted", MountTable.ReadBelow(store).Count == 0 && (await engine.Client.ListMountsAsync()).Count == 0);
            await CheckAsync(engine);
            await StepAsync("remove", () => engine.Client.RemoveAsync(Container));
            await StepAsync("collect", () => engine.Client.Channel.AskAsync<StoreProtocol.Collected>(new StoreProtocol.CollectGarbage(Wait: true)));
            await CheckAsync(engine);
        }

        await using var next = await StartAsync(store);
        Expect("the rest is there", (await next.Client.ListLayersAsync()).Select(static layer => layer.Id.Value).Order(StringComparer.Ordinal).SequenceEqual(["image", "other"], StringComparer.Ordinal));
        await StepAsync("use it", async () => await (await next.Client.MountAsync(Other)).DisposeAsync());
        await CheckAsync(next);
        return faults == 0 ? 0 : 1;

        async Task CheckAsync(StorageEngine engine)
        {
            var found = (await engine.Client.Channel.AskAsync<StoreProtocol.Checked>(new StoreProtocol.Check(Full: true))).Findings;
            Expect($"check: {string.Join("; ", found.Select(static finding => finding.Message))}", found.Count == 0);
        }

        async Task StepAsync(string name, Func<Task> step)
        {
            try
            {
                await step();
                Expect(name, true);
            }
            catch (StorageException e)
            {
                Expect($"{name}: {e.Error}", false);
            }
        }

        void Expect(string what, bool isSo)
        {
            if (!isSo) faults++;
            Console.WriteLine($"{(isSo ? "ok" : "FAULT")}: {what}");
        }
    }

    private static Task<StorageEngine> StartAsync(string root) => StorageEngine.StartAsync(ConfigurationFactory.ParseString($$"""
        akka.stdout-loglevel = OFF
        akka.loglevel = OFF
        storage-actors.root = "{{root}}"
        """));

    /// <summary>As a container does that logs without an end: large pieces first, then whatever fits, until not one block is free.</summary>
    private static void Fill(string path)
    {
        for (var piece = 1 << 20; piece >= 4096; piece /= 16)
        {
            for (var file = 0; file < 3; file++)
            {
                try
                {
                    using var stream = new FileStream(Path.Combine(path, $"log-{piece}-{file}"), FileMode.Append, FileAccess.Write, FileShare.None, 1);
                    var block = new byte[piece];
                    while (true) stream.Write(block);
                }
                catch (IOException)
                {
                    // Full for pieces of this size.
                }
            }
        }

        using var directory = Libc.OpenDirectory(path);
        try
        {
            Libc.SyncFs(directory);
        }
        catch (LinuxException)
        {
            // It says that not all of it fit.
        }
    }
}
