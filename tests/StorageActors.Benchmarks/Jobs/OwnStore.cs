using Akka.Configuration;
using StorageActors.Client;
using StorageActors.Engine;
using StorageActors.Protocol;

namespace StorageActors.Benchmarks.Jobs;

/// <summary>A store of ours in this process, on the file system that is measured on.</summary>
internal static class OwnStore
{
    /// <summary>Starts an engine; unsynced unless it is told to be durable.</summary>
    internal static Task<StorageEngine> StartAsync(string root, bool durable = false, string driver = "auto") => StorageEngine.StartAsync(ConfigurationFactory.ParseString(
        $$"""
        storage-actors {
          root = "{{root}}"
          driver = {{driver}}
          durability = {{(durable ? "full" : "none")}}
        }
        """));

    internal static async Task<LayerRecord> ApplyAsync(this StorageClient store, string tar, LayerId? parent = null)
    {
        var item = new StoreProtocol.ChainItem(BlobSource.File(tar), new StoreProtocol.LayerSpec(), new StoreProtocol.Expectations());
        return (await store.ApplyAsync(new StoreProtocol.Apply(parent, [item])).ConfigureAwait(false))[0].Layer;
    }
}
