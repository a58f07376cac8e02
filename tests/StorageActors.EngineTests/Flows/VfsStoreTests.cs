using System.Formats.Tar;
using System.IO.Compression;
using Akka.Configuration;
using StorageActors.Engine;
using StorageActors.Protocol;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.EngineTests.Flows;

/// <summary>A whole store with the driver that needs no right: real extractions, and layers that are their directories.</summary>
public sealed class VfsStoreTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    [Fact]
    public async Task Layers_that_are_held_for_writing_are_so_after_a_restart_whether_filled_or_not()
    {
        LayerId filled, fresh, read;
        await using (var engine = await StartAsync())
        {
            (filled, fresh, read) = ((await engine.Client.CreateAsync(null)).Id, (await engine.Client.CreateAsync(null)).Id, (await engine.Client.CreateAsync(null)).Id);
            await engine.Client.FillAsync(filled, new MemoryStream(Tar(10)));
            foreach (var layer in (LayerId[])[filled, fresh]) await engine.Client.MountAsync(layer, outlive: true);
            await engine.Client.MountAsync(read, new MountOptions(ReadOnly: true), outlive: true);
        }

        await using var next = await StartAsync();
        var modes = (await next.Client.ListMountsAsync()).ToDictionary(static mount => mount.Layer, static mount => mount.Mode);
        Assert.Equal((MountMode.ReadWrite, MountMode.ReadWrite, MountMode.ReadOnly), (modes[filled], modes[fresh], modes[read]));
    }

    [Fact]
    public async Task A_decompression_bomb_is_refused_and_leaves_nothing()
    {
        await using var engine = await StartAsync("storage-actors.limits { ratio = 50, ratio-from = 1 MiB }");
        using var packed = new MemoryStream();
        await using (var gzip = new GZipStream(packed, CompressionLevel.SmallestSize, leaveOpen: true)) await gzip.WriteAsync(Tar(32 << 20));
        var bomb = _directory["bomb.tar.gz"];
        await File.WriteAllBytesAsync(bomb, packed.ToArray());
        var refusal = await Assert.ThrowsAsync<StorageException>(() => engine.Client.ApplyAsync(new StoreProtocol.Apply(
            null, [new StoreProtocol.ChainItem(BlobSource.File(bomb), new StoreProtocol.LayerSpec(), new StoreProtocol.Expectations())])));
        Assert.Equal(StorageErrorCode.LimitExceeded, refusal.Error.Code);
        await engine.Client.Channel.AskAsync<StoreProtocol.Collected>(new StoreProtocol.CollectGarbage(Wait: true));
        Assert.Empty(await engine.Client.ListLayersAsync());
        foreach (var place in (string[])["staging", "trash", "vfs"]) Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(_directory["store"], place)));
    }

    public void Dispose() => _directory.Dispose();

    private Task<StorageEngine> StartAsync(string settings = "") => StorageEngine.StartAsync(ConfigurationFactory.ParseString($$"""
        akka.actor.serialize-messages = on
        akka.stdout-loglevel = WARNING
        akka.loglevel = WARNING
        storage-actors.root = "{{_directory["store"]}}"
        storage-actors.driver = vfs
        storage-actors.drain-timeout = 120s
        {{settings}}
        """));

    /// <summary>One file of zeros.</summary>
    private static byte[] Tar(int size)
    {
        using var buffer = new MemoryStream();
        using (var tar = new TarWriter(buffer, TarEntryFormat.Ustar, leaveOpen: true))
            tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, "file") { DataStream = new MemoryStream(new byte[size]) });
        return buffer.ToArray();
    }
}
