using Akka.Actor;
using StorageActors.Catalog;
using StorageActors.DriverOperations;
using StorageActors.Layers;
using StorageActors.Protocol;
using StorageActors.Trash;

namespace StorageActors.Recovery;

/// <content>What is looked at, and how each thing is put right.</content>
internal sealed partial class CheckFlow
{
    private const int Repeats = 3;

    /// <summary>
    /// What was removed after the listing is unknown, too, but its directory is gone: that goes before the journal's event. So it is looked at again, and then the
    /// catalog is asked again, lest it was made meanwhile.
    /// </summary>
    private void SuspectLayer(LayerId id) => Perform(new ReadRecords([id], [], Trash: false), again =>
    {
        if (again.Layers.Count == 0) Next();
        else Ask<CatalogInternal.Audited>(Store.Catalog, new CatalogInternal.Audit([id], [], []), audited =>
        {
            if (audited.UnknownLayers.Count == 0) Next();
            else OrphanLayer(again.Layers[0]);
        });
    });

    private void OrphanLayer(FoundLayer found)
    {
        if (found.Record is not { } record)
        {
            Orphan(Store.Layout.LayerDirectory(found.Id), $"it has no valid record: {found.Fault}");
            return;
        }

        Found("orphan-directory", found.Id.Value, "the directory is a whole layer that the journal does not know", "adopted", done =>
            Ask<CatalogInternal.Reconciled>(Store.Catalog, new CatalogInternal.Reconcile([record], [], [], [], []), _ => done(true), _ => done(false)));
    }

    private void Orphan(string path, string why) => Found("orphan-directory", path, why, "moved to the trash", done =>
        Try(
            new DiscardOrphan(path),
            trashed =>
            {
                Store.Trash.Tell(new TrashProtocol.Collect(trashed.Path));
                done(true);
            },
            done));

    private void MissingLayer(LayerId layer) => FoundDamaged(
        layer, "missing-layer", "its directory is missing; remove it, or apply its content again under another id", RecoveryPlan.MissingDirectory);

    /// <summary>A record that differs may be about to be written: it is read again when the catalog says that it was.</summary>
    private void LayerRecordFile(FoundLayer found, int again = Repeats)
    {
        if (Store.View.Current.FindOwn(found.Id) is not { } layer || (found.Record is { } record && RecordComparison.IsSame(layer, record)))
        {
            Next();
        }
        else if (again > 0)
        {
            Ask<CatalogInternal.FileWritten>(Store.Catalog, new CatalogInternal.AwaitFile(found.Id, null), _ =>
                Perform(new ReadRecords([found.Id], [], Trash: false), records =>
                {
                    if (records.Layers.Count == 0) Next(); // On its way to the trash.
                    else LayerRecordFile(records.Layers[0], again - 1);
                }));
        }
        else
        {
            Found("record-mismatch", found.Id.Value, found.Fault ?? "layer.json is not what the journal says", "written again from the journal", done =>
                Try(new WriteLayerRecord(layer with { Damage = null }), _ => done(true), done));
        }
    }

    private void SuspectImage(ImageId id) => Perform(new ReadRecords([], [id], Trash: false), again =>
    {
        if (again.Images.Count == 0) Next();
        else Ask<CatalogInternal.Audited>(Store.Catalog, new CatalogInternal.Audit([], [id], []), audited =>
        {
            if (audited.UnknownImages.Count == 0) Next();
            else OrphanImage(again.Images[0]);
        });
    });

    private void OrphanImage(FoundImage found)
    {
        if (found.Record is not { } record)
        {
            Orphan(Store.Layout.ImageDirectory(found.Id), $"it has no valid record: {found.Fault}");
            return;
        }

        Found("orphan-directory", found.Id.Value, "the directory is a whole image that the journal does not know", "adopted", done =>
            Ask<CatalogInternal.Reconciled>(Store.Catalog, new CatalogInternal.Reconcile([], [record], [], [], []), _ => done(true), _ => done(false)));
    }

    private void ImageRecordFile(FoundImage found, int again = Repeats)
    {
        if (Store.View.Current.FindOwn(found.Id) is not { } image || (found.Record is { } record && RecordComparison.IsSame(image, record)))
        {
            Next();
        }
        else if (again > 0)
        {
            Ask<CatalogInternal.FileWritten>(Store.Catalog, new CatalogInternal.AwaitFile(null, found.Id), _ =>
                Perform(new ReadRecords([], [found.Id], Trash: false), records =>
                {
                    if (records.Images.Count == 0) Next();
                    else ImageRecordFile(records.Images[0], again - 1);
                }));
        }
        else
        {
            Found("record-mismatch", found.Id.Value, found.Fault ?? "image.json is not what the journal says", "written again from the journal", done =>
                Try(new WriteImageRecord(image), _ => done(true), done));
        }
    }

    private void MissingImage(ImageRecord image)
    {
        if (Store.View.Current.FindOwn(image.Id) is null) Next();
        else Found("missing-image", image.Id.Value, "its directory is missing; put the image again, or remove it");
    }

    /// <summary>One that is just being made, or put away, is not stale at the next look.</summary>
    private void StaleStagings(IReadOnlyCollection<string>? suspects = null, int again = Repeats) => Perform(new ListStaleStagings(), listed =>
    {
        var stale = suspects is null ? listed : [.. listed.Intersect(suspects, StringComparer.Ordinal)];
        if (stale.Count == 0) Next();
        else if (again > 0) StaleStagings(stale, again - 1);
        else
        {
            Found("stale-staging", string.Join(", ", stale), "nobody owns the staging any more", "moved to the trash", done =>
                Ask<TrashProtocol.Swept>(Store.Trash, new TrashProtocol.SweepStaging(), _ => done(true), _ => done(false)));
        }
    });

    private void Mounts()
    {
        var layers = Store.View.Layers().Where(static layer => layer.Damage is null).ToList();
        if (!Store.Capabilities.HasFlag(Drivers.DriverCapabilities.KernelMount))
        {
            Next();
            return;
        }

        Perform(new FindMounted([.. layers.Select(static layer => layer.Id)]), mounted =>
        {
            foreach (var layer in layers)
            {
                var isMounted = mounted.Contains(layer.Id);
                var isKnown = Store.Mounts.IsMounted(layer.Id);
                if (isMounted && !isKnown) _steps.Enqueue(() => StrayMount(layer));
                else if (!isMounted && isKnown) _steps.Enqueue(() => LostMount(layer));
            }

            Next();
        });
    }

    /// <summary>
    /// A layer with an actor is asked to let nobody mount it for a moment: what is mounted then is nobody's. One without an actor is not woken for a mere look,
    /// since it would take the mount away.
    /// </summary>
    private void StrayMount(LayerRecord layer) => IfRunning(
        layer,
        () => AskLayer<LayerInternal.Drained>(
            layer,
            new LayerInternal.Drain(Force: false),
            _ =>
            {
                _drained = layer;
                IfMounted(layer, () => Stray(layer, done => Try(new UnmountLayer(Store.Layout.Locate(layer.Id), Force: false), _ => done(true), done)));
            },
            _ => Next()), // Somebody holds it: it was being mounted.
        () => IfMounted(layer, () => IfRunning(layer, Next, () => Stray(layer, done =>
            AskLayer<LayerInternal.Awake>(layer, new LayerInternal.Wake(), awake => done(awake.Mount is null))))));

    private void Stray(LayerRecord layer, Action<Action<bool>> unmount) =>
        Found("stray-mount", layer.Id.Value, "it is mounted, but nobody holds it", "unmounted", unmount);

    private void IfRunning(LayerRecord layer, Action then, Action otherwise) =>
        Ask<LayerInternal.Running>(Store.Layers, new LayerInternal.IsRunning(layer.Id), running => (running.IsRunning ? then : otherwise)());

    private void IfMounted(LayerRecord layer, Action then) =>
        Perform(new FindMounted([layer.Id]), mounted => (mounted.Count > 0 ? then : Next)());

    /// <summary>The layer's actor says what it believes when it has settled what it is doing; the kernel is asked after that.</summary>
    private void LostMount(LayerRecord layer, int again = Repeats) => AskLayer<LayerInternal.Awake>(layer, new LayerInternal.Wake(), awake =>
    {
        if (awake.Mount is null) Next();
        else Perform(new FindMounted([layer.Id]), mounted =>
        {
            if (mounted.Count > 0) Next();
            else if (again > 0) LostMount(layer, again - 1);
            else Found("lost-mount", layer.Id.Value, "it is held, but not mounted any more: somebody else unmounted it; release its leases and mount it again");
        });
    });

    private void Content(LayerRecord layer) => Verify(layer, differences =>
    {
        // It may have been on its way out: with what is kept from going, the look is repeated.
        if (differences.Count == 0) Compared(layer, differences);
        else Ask<CatalogInternal.LayersPinned>(
            Store.Catalog, new CatalogInternal.PinLayers(Operation, [layer.Id]), _ => Verify(layer, certain =>
                Ask<CatalogInternal.Freed>(Store.Catalog, new CatalogInternal.Free(), _ => Compared(layer, certain))), _ => Next());
    });

    private void Verify(LayerRecord layer, Action<IReadOnlyList<string>> then)
    {
        if (Store.View.Current.FindOwn(layer.Id) is null) Next();
        else Perform(new VerifyLayer(Store.Layout.Locate(layer), Store.ParentsOf(layer), layer, _command.Full), then, error =>
        {
            if (IsDamage(error.Code)) then([error.Message]);
            else Ask<CatalogInternal.Freed>(Store.Catalog, new CatalogInternal.Free(), _ => NotChecked(layer.Id.Value, error));
        });
    }

    /// <summary>What says something of the content; all else says only that it could not be read now.</summary>
    private static bool IsDamage(StorageErrorCode code) => code is StorageErrorCode.Damaged or StorageErrorCode.DigestMismatch or StorageErrorCode.NotFound
        or StorageErrorCode.BadInput or StorageErrorCode.Io;

    private void NotChecked(string subject, StorageError error)
    {
        if (_stopped is not null) Next();
        else Found("not-checked", subject, $"it could not be looked at: {error.Message}");
    }

    private void Compared(LayerRecord layer, IReadOnlyList<string> differences)
    {
        _progress.Add(layer.Size ?? 0, layer.Entries ?? 0);
        var damage = Store.View.Current.FindOwn(layer.Id)?.Damage;
        if (differences.Count > 0)
        {
            var message = $"it differs from its archive: {Refusals.Some(differences)}";
            FoundDamaged(layer.Id, "digest-mismatch", message, message);
        }
        else if (damage is not null && _command.Full)
        {
            Found("damaged-layer", layer.Id.Value, $"it is marked as damaged ({damage}), but whole", "marked as sound", done => Mark(layer.Id, null, done));
        }
        else if (damage is not null)
        {
            Found("damaged-layer", layer.Id.Value, $"it is marked as damaged: {damage}");
        }
        else
        {
            Next();
        }
    }

    /// <summary>Layers that rest on it are told, too: they cannot be used without it.</summary>
    private void Mark(LayerId id, string? damage, Action<bool> done) =>
        Ask<CatalogInternal.DamageMarked>(Store.Catalog, new CatalogInternal.MarkDamage(id, damage), _ =>
        {
            foreach (var layer in Store.View.Current.WithDescendants(id)) TellLayer(layer, new LayerInternal.ChangeDamage(Store.View.Current.DamageOf(layer)));
            done(true);
        });
}
