using StorageActors.Drivers;
using StorageActors.EngineTests.Support;
using StorageActors.Protocol;
using Xunit;

namespace StorageActors.EngineTests.Flows;

public sealed class CheckTests : StoreTest
{
    [Fact]
    public async Task A_healthy_store_has_no_findings()
    {
        await using var engine = await StartAsync();
        var layers = (await engine.Client.ApplyAsync(Chain("base", "top"))).Select(static one => one.Layer.Id).ToArray();
        await engine.Client.PutImageAsync(new CatalogProtocol.PutImage(ImageId.Of(DiffOf("c")), ["i"], layers, null, [new BigData("config", [1])]));
        await engine.Client.CreateAsync(layers[1]);
        await engine.Client.MountAsync(layers[1]);

        Assert.Empty((await LayerLifeTests.CheckAsync(engine)).Select(static finding => finding.ToString()));
    }

    [Fact]
    public async Task Work_in_progress_is_not_taken_for_damage()
    {
        await using var engine = await StartAsync();
        var work = Task.Run(async () =>
        {
            for (var round = 0; round < 40; round++)
            {
                var applied = await engine.Client.ApplyAsync(Chain($"base {round}", $"top {round}"));
                await using (await engine.Client.MountAsync(applied[1].Layer.Id))
                {
                    await engine.Client.Channel.AskAsync<CatalogProtocol.Resolved>(new CatalogProtocol.ChangeNames(applied[1].Layer.Id, null, [$"n{round}"], []));
                }

                await engine.Client.RemoveAsync(applied[1].Layer.Id);
            }
        });

        while (!work.IsCompleted) Assert.Empty((await LayerLifeTests.CheckAsync(engine)).Select(static finding => finding.ToString()));
        await work;
    }

    [Fact]
    public async Task Each_kind_of_damage_is_found_and_put_right_where_it_can_be()
    {
        await using var engine = await StartAsync();
        var layers = (await engine.Client.ApplyAsync(Chain("orphan", "lost", "changed", "record"))).Select(static one => one.Layer.Id).ToArray();
        var lost = (await engine.Client.ApplyAsync(Chain("lost alone")))[0].Layer.Id;
        Directory.Move(LayerPath(lost), Path.Combine(Elsewhere, "lost"));
        await File.WriteAllTextAsync(Path.Combine(LayerPath(layers[2]), "diff", "content"), "CHANGED");
        await File.WriteAllTextAsync(Path.Combine(LayerPath(layers[3]), "layer.json"), "{}");
        Directory.CreateDirectory(LayerPath(LayerId.Parse("strange")));
        Directory.CreateDirectory(Path.Combine(Root, "staging", "stale", "layer"));
        World.Mounts[Path.Combine(LayerPath(layers[1]), "merged")] = MountMode.ReadOnly;

        var would = await LayerLifeTests.CheckAsync(engine, repair: true, dryRun: true);
        Assert.Equal(
            ["digest-mismatch", "missing-layer", "orphan-directory", "record-mismatch", "stale-staging", "stray-mount"],
            would.Select(static finding => finding.Kind).Order(StringComparer.Ordinal));
        Assert.All(would, static finding => Assert.False(finding.Repaired));

        var did = await LayerLifeTests.CheckAsync(engine, repair: true);
        string[] marked = ["missing-layer", "digest-mismatch"]; // Which keeps others from the content, but does not bring it back.
        Assert.All(did, finding => Assert.True(finding.Repaired == !marked.Contains(finding.Kind, StringComparer.Ordinal), finding.ToString()));
        Assert.All(did.Where(static finding => !finding.Repaired), static finding => Assert.EndsWith("; marked as damaged", finding.Message, StringComparison.Ordinal));
        foreach (var again in new[] { await LayerLifeTests.CheckAsync(engine), await LayerLifeTests.CheckAsync(engine, repair: true) })
        {
            Assert.Equal(marked.Order(StringComparer.Ordinal), again.Select(static finding => finding.Kind).Order(StringComparer.Ordinal));
            Assert.All(again, static finding => Assert.EndsWith("; it is marked as damaged", finding.Message, StringComparison.Ordinal));
        }

        Assert.Empty(World.Mounts);
        Assert.Empty(In("staging"));
        Assert.False(Directory.Exists(LayerPath(LayerId.Parse("strange"))));
        Assert.Equal(StorageErrorCode.Damaged, await RefusedAsync(engine.Client.MountAsync(lost)));
        Assert.Equal(StorageErrorCode.Damaged, await RefusedAsync(engine.Client.ApplyAsync(new StoreProtocol.Apply(layers[2], [Item("more")]))));

        await File.WriteAllTextAsync(Path.Combine(LayerPath(layers[2]), "diff", "content"), "changed");
        Directory.Move(Path.Combine(Elsewhere, "lost"), LayerPath(lost));
        Assert.All(await LayerLifeTests.CheckAsync(engine, repair: true), static finding => Assert.Equal(("damaged-layer", true), (finding.Kind, finding.Repaired)));
        Assert.Empty(await LayerLifeTests.CheckAsync(engine));
        await using var lease = await engine.Client.MountAsync(layers[3]);
    }

    [Fact]
    public async Task What_cannot_be_read_now_is_no_damage()
    {
        await using var engine = await StartAsync();
        var layer = (await engine.Client.ApplyAsync(Chain("base")))[0].Layer.Id;
        World.Trouble = (operation, _) =>
        {
            if (operation == "verify") throw new TransientDriverException(new StorageError(StorageErrorCode.Busy, operation, "too many open files", Errno: "EMFILE"));
        };

        var finding = Assert.Single(await engine.Client.CheckAsync(repair: true));

        Assert.Equal(("not-checked", layer.Value, false), (finding.Kind, finding.Subject, finding.Repaired));
        World.Trouble = null;
        Assert.Empty(await engine.Client.CheckAsync());
        Assert.Null((await engine.Client.ListLayersAsync())[0].Damage);
    }

    [Fact]
    public async Task Spoiled_documents_and_blobs_of_images_are_found_when_all_is_read()
    {
        await using var engine = await StartAsync();
        var layers = (await engine.Client.ApplyAsync(Chain("base"))).Select(static one => one.Layer.Id).ToArray();
        var blob = new ImageBlob(DiffOf("blob"), 4, Blob("blob"));
        var image = await engine.Client.PutImageAsync(new CatalogProtocol.PutImage(ImageId.Of(DiffOf("c")), [], layers, null, [new BigData("config", [1])], null, [blob]));
        Assert.Empty(await engine.Client.CheckAsync(full: true));
        await File.WriteAllTextAsync(Path.Combine(Root, "images", image.Id.Value, "blobs", DiffOf("blob").Hex), "BLOB");
        await File.WriteAllTextAsync(Path.Combine(Root, "images", image.Id.Value, "config"), "?");

        Assert.Empty(await engine.Client.CheckAsync());
        Assert.All(await engine.Client.CheckAsync(full: true), finding => Assert.Equal(("digest-mismatch", image.Id.Value), (finding.Kind, finding.Subject)));
        Assert.Equal(2, (await engine.Client.CheckAsync(full: true)).Count);
    }

    [Fact]
    public async Task A_check_tells_how_far_it_is_and_can_be_cancelled()
    {
        await using var engine = await StartAsync();
        await engine.Client.ApplyAsync(Chain("base", "top"));
        var (ticket, seen, done) = (TicketId.New(), new System.Collections.Concurrent.ConcurrentQueue<StagingProgress>(), new TaskCompletionSource());
        using var watch = engine.Client.Channel.WatchProgress(ticket, new Observer(progress =>
        {
            seen.Enqueue(progress);
            if (progress.Phase == StagingPhase.Done) done.TrySetResult();
        }));
        await engine.Client.Channel.AskAsync<StoreProtocol.Checked>(new StoreProtocol.Check(Ticket: ticket));
        await done.Task.WaitAsync(Patient.Limit);
        using var cancel = new CancellationTokenSource();
        World.Trouble = (operation, _) =>
        {
            if (operation == "verify") cancel.Cancel();
        };

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            // Cancelling takes a message: a check that is quicker is begun again.
            while (true) await engine.Client.CheckAsync(stop: cancel.Token);
        });
        Assert.Contains(seen, static progress => progress.Phase == StagingPhase.Verifying && progress.BytesTotal == "base".Length + "top".Length);
    }

    private sealed class Observer(Action<StagingProgress> report) : IProgress<StagingProgress>
    {
        public void Report(StagingProgress value) => report(value);
    }

    [Fact]
    public async Task A_layer_that_was_sealed_without_being_read_is_said_to_be_unverified_and_read_by_a_full_check()
    {
        await using var engine = await StartAsync();
        var made = await engine.Client.CreateAsync(null, new StoreProtocol.LayerSpec(LayerId.Parse("frozen"), ["n"]));
        await engine.Client.FreezeAsync(new StoreProtocol.Freeze(made.Id, ["n"]));

        foreach (var full in new[] { false, true })
        {
            var note = Assert.Single(await engine.Client.CheckAsync(full));
            Assert.Equal(("not-verified", made.Id.Value, true, false), (note.Kind, note.Subject, note.Note, note.Repaired));
            Assert.Equal(full, note.Message.StartsWith("all of it can be read", StringComparison.Ordinal));
        }

        World.Trouble = (operation, _) =>
        {
            if (operation == "diff") throw new PermanentDriverException(new StorageError(StorageErrorCode.Io, operation, "the disk is broken", Errno: "EIO"));
        };
        var broken = Assert.Single(await engine.Client.CheckAsync(full: true));
        Assert.Equal(("unreadable-layer", made.Id.Value, false), (broken.Kind, broken.Subject, broken.Note));
        World.Trouble = null;
        await engine.Client.SealAsync(made.Id);
        Assert.Empty(await engine.Client.CheckAsync(full: true));
    }

    [Fact]
    public async Task A_full_check_names_layers_that_cannot_be_mounted_and_leaves_those_alone_that_are()
    {
        await using var engine = await StartAsync();
        var layers = (await engine.Client.ApplyAsync(Chain([.. Enumerable.Range(0, 12).Select(static number => $"layer {number}")]))).Select(static one => one.Layer.Id).ToArray();
        var writable = await engine.Client.CreateAsync(layers[^1]);
        await using var lease = await engine.Client.MountAsync(layers[3]);
        var tried = new System.Collections.Concurrent.ConcurrentBag<LayerId>();
        World.Trouble = (operation, layer) =>
        {
            if (operation != "try mount") return;
            tried.Add(layer);
            if (layer == layers[5] || layer == writable.Id) throw new PermanentDriverException(new StorageError(StorageErrorCode.Unsupported, "mount", "refused", Errno: "EINVAL"));
            if (layer == layers[7]) throw new PermanentDriverException(new StorageError(StorageErrorCode.NoSpace, "mount", "full", Errno: "ENOSPC"));
        };

        Assert.Empty(await engine.Client.CheckAsync());
        Assert.Empty(tried);
        var findings = await engine.Client.CheckAsync(full: true);

        Assert.Equal(
            new[] { ("not-mountable", layers[5].Value), ("not-mountable", writable.Id.Value), ("not-checked", layers[7].Value) }.Order(),
            findings.Select(static finding => (finding.Kind, finding.Subject)).Order());
        Assert.Equal(layers.Append(writable.Id).Except([layers[3]]).ToHashSet(), tried.ToHashSet());
        Assert.Single(World.Mounts);
    }

    [Fact]
    public async Task A_layer_that_nothing_needs_is_noted_once_it_is_old_enough()
    {
        await using var engine = await StartAsync();
        var layers = (await engine.Client.ApplyAsync(Chain("base", "top"))).Select(static one => one.Layer.Id).ToArray();
        var named = (await engine.Client.ApplyAsync(new StoreProtocol.Apply(null, [Item("named", name: "n")])))[0].Layer.Id;

        Assert.Empty(await engine.Client.CheckAsync());
        Assert.Empty(await engine.Client.CheckAsync(unneededAfter: TimeSpan.MaxValue));
        var notes = await engine.Client.CheckAsync(unneededAfter: TimeSpan.Zero);

        Assert.Equal(layers.Reverse().Select(static layer => layer.Value), notes.Select(static note => note.Subject));
        Assert.All(notes, static note => Assert.Equal(("unneeded-layer", true, false), (note.Kind, note.Note, note.Repaired)));
        Assert.DoesNotContain(named.Value, notes.Select(static note => note.Subject));
        Assert.Equal(StorageErrorCode.InvalidArgument, await RefusedAsync(engine.Client.CheckAsync(unneededAfter: TimeSpan.FromTicks(-1))));
    }

    [Fact]
    public async Task A_layer_that_the_journal_does_not_know_is_adopted()
    {
        await using var engine = await StartAsync();
        var layer = (await engine.Client.ApplyAsync(new StoreProtocol.Apply(null, [Item("base", "found", "name")])))[0].Layer;
        var aside = Path.Combine(Elsewhere, "found");
        Directory.Move(LayerPath(layer.Id), aside);
        await engine.Client.RemoveAsync(layer.Id);
        Directory.Move(aside, LayerPath(layer.Id));

        var did = Assert.Single(await LayerLifeTests.CheckAsync(engine, repair: true));

        Assert.Equal(("orphan-directory", true), (did.Kind, did.Repaired));
        Assert.Equal(layer.ChainId, (await engine.Client.ResolveAsync("name")).Layer!.ChainId);
    }

    private string LayerPath(LayerId layer) => Path.Combine(Root, "directories", layer.Value);
}
