using StorageActors.Images;
using StorageActors.Protocol;

namespace StorageActors.FaultTests.Host;

/// <summary>Something a user asks of the store.</summary>
/// <param name="Name">As the report calls it.</param>
/// <param name="Prepare">What comes before, undisturbed.</param>
/// <param name="Act">What calls fail in.</param>
/// <param name="Verify">What is true after a success; throws when it is not.</param>
/// <param name="Undo">Puts the store back, whatever came of it.</param>
internal sealed record Flow(
    string Name, Func<HostStore, Task> Act, Func<HostStore, Task>? Prepare = null, Func<HostStore, Task>? Verify = null, Func<HostStore, Task>? Undo = null)
{
    private static readonly LayerId New = LayerId.Parse("new");

    internal static IReadOnlyList<Flow> All { get; } =
    [
        new("apply", store => store.ApplyAsync("child.tar.gz", store.Base.Id, "new"), Verify: store => HasDiffAsync(store, New, store.Child.DiffId!.Value), Undo: RemoveNewAsync),
        new("create", store => store.Client.CreateAsync(store.Child.Id, new StoreProtocol.LayerSpec(New)), Verify: store => store.Client.ResolveAsync("new"), Undo: RemoveNewAsync),
        new("seal", store => store.Client.SealAsync(New), store => store.WriteLayerAsync("new"), CanDiffAsync, RemoveNewAsync),
        new("mount", store => store.Client.MountAsync(store.Work.Id, outlive: true), Verify: store => CanReadAsync(store, store.Work), Undo: ReleaseAsync),
        new("unmount", ReleaseAsync, store => store.Client.MountAsync(store.Work.Id, outlive: true), NobodyHoldsAsync, ReleaseAsync),
        new("mount, in the way", store => store.Client.MountAsync(store.Work.Id, outlive: true), WriteInTheWayAsync, store => CanReadAsync(store, store.Work), ReleaseAndTidyAsync),
        new("unmount, copied", ReleaseAsync, MountAndCopyAsync, NobodyHoldsAsync, ReleaseAndEndCopyAsync),
        new("remove", RemoveAndEmptyAsync, store => store.ApplyAsync("child.tar.gz", store.Base.Id, "new"), IsGoneAsync, RemoveNewAsync),
        new("diff, exact", store => WriteDiffAsync(store, store.Child.Id, null), Verify: store => IsOutputAsync(store, store.Child.DiffId!.Value), Undo: ClearOutputAsync),
        new("diff, native", store => WriteDiffAsync(store, store.Work.Id, null), Verify: ParsesAsync, Undo: ClearOutputAsync),
        new("diff, compared", store => WriteDiffAsync(store, store.Child.Id, store.Work.Id), Verify: ParsesAsync, Undo: ClearOutputAsync),
        new("changes", store => store.Client.ChangesAsync(store.Work.Id), Verify: static store => Task.CompletedTask),
        new("import", store => store.ImportAsync(), RemoveImageAsync, CanExportAsync, store => store.ImportAsync()),
        new("export, layout", store => ExportAsync(store, "oci"), Undo: ClearOutputAsync),
        new("export, archive", store => ExportAsync(store, "docker-archive"), Undo: ClearOutputAsync),
        new("names", store => RenameAsync(store, "other"), Verify: store => store.Client.ResolveAsync("other"), Undo: RenameBackAsync),
        new("usage and check", LookAsync),
        new("restart", RestartAsync, LeaveTracesAsync, IsMountedStillAsync, ReleaseAsync),
    ];

    /// <summary>Not tried at every call: what fails behind the rename stays for the next start, which is what is looked at then.</summary>
    internal static Flow PutAgain { get; } = new("put again", static store => store.PutAgainAsync());

    private static readonly HashSet<string> Reading = new(StringComparer.Ordinal) { "diff, exact", "diff, native", "diff, compared", "changes", "export, layout", "export, archive", "usage and check" };

    /// <summary>The flows after which a store is another one than before.</summary>
    internal static IEnumerable<Flow> Changing => All.Where(static flow => !Reading.Contains(flow.Name)).Append(PutAgain);

    private static async Task RemoveAndEmptyAsync(HostStore store)
    {
        await store.Client.RemoveAsync(New);
        await store.Client.Channel.AskAsync<StoreProtocol.Collected>(new StoreProtocol.CollectGarbage(Wait: true));
    }

    private static async Task RemoveNewAsync(HostStore store)
    {
        if ((await store.Client.ListLayersAsync()).Any(static layer => layer.Id == New)) await store.Client.RemoveAsync(New, force: true);
    }

    private static async Task IsGoneAsync(HostStore store)
    {
        if ((await store.Client.ListLayersAsync()).Any(static layer => layer.Id == New)) throw new InvalidDataException("it was removed and is there");
    }

    /// <summary>A layer whose leases could not be read at the start reads them when it is asked for.</summary>
    private static async Task IsMountedStillAsync(HostStore store)
    {
        await using (await store.Client.MountAsync(store.Work.Id)) await CanReadAsync(store, store.Work);
        if ((await store.Client.ListMountsAsync()).Single().Leases.Count != 1) throw new InvalidDataException("a lease is lost");
    }

    private static Task ReleaseAsync(HostStore store) => store.Client.Channel.AskAsync<LayerProtocol.Released>(new LayerProtocol.ReleaseAll(store.Work.Id));

    /// <summary>Somebody took the bare mount point for the mount.</summary>
    private static async Task WriteInTheWayAsync(HostStore store) =>
        await File.WriteAllTextAsync(Path.Combine(Directory.CreateDirectory(Path.Combine(LayerOf(store), "merged")).FullName, "written"), "in the way");

    private static async Task ReleaseAndTidyAsync(HostStore store)
    {
        await ReleaseAsync(store);
        foreach (var stray in Directory.EnumerateDirectories(LayerOf(store), "stray-*")) Directory.Delete(stray, recursive: true);
        if (Directory.Exists(Path.Combine(LayerOf(store), "merged"))) File.Delete(Path.Combine(LayerOf(store), "merged", "written"));
    }

    private static async Task MountAndCopyAsync(HostStore store)
    {
        await store.Client.MountAsync(store.Work.Id, outlive: true);
        await store.CopyMountsAsync();
    }

    private static async Task ReleaseAndEndCopyAsync(HostStore store)
    {
        try
        {
            await ReleaseAsync(store);
        }
        finally
        {
            store.EndCopy();
        }
    }

    private static string LayerOf(HostStore store) => Path.Combine(store.Root, "overlay", store.Work.Id.Value);

    private static async Task NobodyHoldsAsync(HostStore store)
    {
        if ((await store.Client.ListMountsAsync()).Count > 0) throw new InvalidDataException("it was released and is held");
    }

    private static async Task CanReadAsync(HostStore store, LayerRecord layer)
    {
        var mount = (await store.Client.ListMountsAsync()).Single(mount => mount.Layer == layer.Id);
        var text = await File.ReadAllTextAsync(Path.Combine(mount.Path, "written"));
        if (text.Length != 20_000 || !File.Exists(Path.Combine(mount.Path, "etc/passwd"))) throw new InvalidDataException("the mount shows something else");
    }

    private static async Task CanDiffAsync(HostStore store)
    {
        var layer = (await store.Client.ListLayersAsync()).Single(static layer => layer.Id == New);
        await HasDiffAsync(store, New, layer.DiffId!.Value);
        if (layer.DiffId != await DiffOfSealedAsync(store)) throw new InvalidDataException("it was sealed with another digest");
    }

    /// <summary>What an undisturbed seal of the same content gives; times of the content differ, so its names and sizes are compared.</summary>
    private static async Task<Digest?> DiffOfSealedAsync(HostStore store)
    {
        var changes = await store.Client.ChangesAsync(New);
        var expected = await store.Client.ChangesAsync(store.Work.Id);
        return changes.SequenceEqual(expected) ? (await store.Client.ListLayersAsync()).Single(static layer => layer.Id == New).DiffId : null;
    }

    private static async Task HasDiffAsync(HostStore store, LayerId layer, Digest digest)
    {
        await WriteDiffAsync(store, layer, null);
        await IsOutputAsync(store, digest);
        await ClearOutputAsync(store);
    }

    private static Task WriteDiffAsync(HostStore store, LayerId layer, LayerId? from) => store.Client.Channel.AskAsync<StoreProtocol.DiffWritten>(
        new StoreProtocol.WriteDiff(layer, from, new BlobTarget(Path.Combine(store.Output, "diff.tar"))));

    private static async Task IsOutputAsync(HostStore store, Digest digest)
    {
        if (Digest.Of(await File.ReadAllBytesAsync(Path.Combine(store.Output, "diff.tar"))) != digest) throw new InvalidDataException("the tar is another one");
    }

    private static async Task ParsesAsync(HostStore store)
    {
        await using var file = File.OpenRead(Path.Combine(store.Output, "diff.tar"));
        await using var tar = new System.Formats.Tar.TarReader(file);
        var entries = 0;
        while (await tar.GetNextEntryAsync() is not null) entries++;
        if (entries < 3) throw new InvalidDataException($"the tar has {entries} entries");
    }

    private static Task ClearOutputAsync(HostStore store)
    {
        foreach (var entry in new DirectoryInfo(store.Output).EnumerateFileSystemInfos())
        {
            if (entry is DirectoryInfo directory) directory.Delete(recursive: true);
            else entry.Delete();
        }
        return Task.CompletedTask;
    }

    private static async Task ExportAsync(HostStore store, string format)
    {
        var result = await ImageExporter.ExportAsync(store.Client, store.Image, ImageLocation.Parse($"{format}:{store.Output}/image"));
        if (!result.SameDigests) throw new InvalidDataException("it was exported with other digests");
    }

    private static async Task CanExportAsync(HostStore store)
    {
        await ExportAsync(store, "oci");
        await ClearOutputAsync(store);
    }

    private static Task RemoveImageAsync(HostStore store) => store.Client.RemoveImageAsync(store.Image.Id);

    private static Task RenameAsync(HostStore store, string name) => store.Client.Channel.AskAsync<CatalogProtocol.Resolved>(
        new CatalogProtocol.ChangeNames(store.Work.Id, null, [name], [], Steal: true));

    private static async Task RenameBackAsync(HostStore store)
    {
        var names = (await store.Client.ResolveAsync("work")).Layer!.Names.Where(static name => name != "work-name").ToArray();
        await store.Client.Channel.AskAsync<CatalogProtocol.Resolved>(new CatalogProtocol.ChangeNames(store.Work.Id, null, [], names));
    }

    private static async Task LookAsync(HostStore store)
    {
        await store.Client.Channel.AskAsync<StoreProtocol.Usage>(new StoreProtocol.GetUsage());
        await store.Client.Channel.AskAsync<StoreProtocol.Info>(new StoreProtocol.GetInfo());
        await store.Client.Channel.AskAsync<StoreProtocol.Checked>(new StoreProtocol.Check(Full: true));
    }

    /// <summary>A held mount, something staged by a process that is gone, and something in the trash.</summary>
    private static async Task LeaveTracesAsync(HostStore store)
    {
        await store.Client.MountAsync(store.Work.Id, outlive: true);
        await store.StopAsync();
        foreach (var place in (string[])["staging", "trash"])
        {
            var directory = Directory.CreateDirectory(Path.Combine(store.Root, place, new string('0', 32), "layer", "diff"));
            await File.WriteAllTextAsync(Path.Combine(directory.FullName, "content"), "left");
        }
        await File.WriteAllTextAsync(Path.Combine(store.Root, "staging", new string('0', 32), "lock"), "");
    }

    private static async Task RestartAsync(HostStore store)
    {
        await store.StartAsync();
        await store.Client.Channel.AskAsync<StoreProtocol.Collected>(new StoreProtocol.CollectGarbage(Wait: true));
    }
}
