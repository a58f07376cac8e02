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

    private void MissingLayer(LayerId layer) => Found("missing-layer", layer.Value, "its directory is missing; remove it, or apply its content again under another id", "marked as damaged", done =>
        Mark(layer, RecoveryPlan.MissingDirectory, done));

    private void LayerRecordFile(FoundLayer found)
    {
        if (Store.View.Current.FindLayer(found.Id) is not { } layer || (found.Record is { } record && RecordComparison.IsSame(layer, record)))
        {
            Next();
            return;
        }

        Found("record-mismatch", found.Id.Value, found.Fault ?? "layer.json is not what the journal says", "written again from the journal", done =>
            Try(new WriteLayerRecord(layer with { Damage = null }), _ => done(true), done));
    }

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

    private void ImageRecordFile(FoundImage found)
    {
        if (Store.View.Current.FindImage(found.Id) is not { } image || (found.Record is { } record && RecordComparison.IsSame(image, record)))
        {
            Next();
            return;
        }

        Found("record-mismatch", found.Id.Value, found.Fault ?? "image.json is not what the journal says", "written again from the journal", done =>
            Try(new WriteImageRecord(image), _ => done(true), done));
    }

    private void MissingImage(ImageRecord image)
    {
        if (Store.View.Current.FindImage(image.Id) is null) Next();
        else Found("missing-image", image.Id.Value, "its directory is missing; put the image again, or remove it");
    }

    private void StaleStagings() => Perform(new ListStaleStagings(), stale =>
    {
        if (stale.Count == 0) Next();
        else Found("stale-staging", string.Join(", ", stale), "nobody owns the staging any more", "moved to the trash", done =>
            Ask<TrashProtocol.Swept>(Store.Trash, new TrashProtocol.SweepStaging(), _ => done(true), _ => done(false)));
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

    /// <summary>The layer's own actor is asked to let nobody mount it for a moment: what is mounted then is nobody's.</summary>
    private void StrayMount(LayerRecord layer) => AskLayer<LayerInternal.Drained>(
        layer,
        new LayerInternal.Drain(Force: false),
        _ =>
        {
            _drained = layer;
            Perform(new FindMounted([layer.Id]), mounted =>
            {
                if (mounted.Count == 0) Next();
                else Found("stray-mount", layer.Id.Value, "it is mounted, but nobody holds it", "unmounted", done =>
                    Try(new UnmountLayer(Store.Layout.Locate(layer.Id), Force: false), _ => done(true), done));
            });
        },
        _ => Next()); // Somebody holds it: it was being mounted.

    private void LostMount(LayerRecord layer)
    {
        if (Store.Mounts.IsHeld(layer.Id)) Found("lost-mount", layer.Id.Value, "it is held, but not mounted any more: somebody else unmounted it; release its leases and mount it again");
        else Next(); // It was being unmounted.
    }

    private void Content(LayerRecord layer)
    {
        if (Store.View.Current.FindLayer(layer.Id) is null)
        {
            Next();
            return;
        }

        Perform(
            new VerifyLayer(Store.Layout.Locate(layer.Id), Store.ParentsOf(layer), _command.Full),
            differences => Compared(layer, differences),
            error => Compared(layer, Store.View.Current.FindLayer(layer.Id) is null ? [] : [error.Message]));
    }

    private void Compared(LayerRecord layer, IReadOnlyList<string> differences)
    {
        var damage = Store.View.Current.FindLayer(layer.Id)?.Damage;
        if (differences.Count > 0)
        {
            var message = $"its content is not what was applied: {Refusals.Some(differences)}";
            Found("digest-mismatch", layer.Id.Value, message, "marked as damaged", done => Mark(layer.Id, message, done));
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

    private void Document(ImageRecord image, BigDataItem item) => Perform(
        new ReadDocument(image.Id, item),
        _ => Next(),
        error =>
        {
            if (Store.View.Current.FindImage(image.Id) is null) Next();
            else Found("digest-mismatch", image.Id.Value, error.Message);
        });

    private void Mark(LayerId id, string? damage, Action<bool> done) =>
        Ask<CatalogInternal.DamageMarked>(Store.Catalog, new CatalogInternal.MarkDamage(id, damage), _ =>
        {
            if (Store.View.Current.FindLayer(id) is { } layer) TellLayer(layer, new LayerInternal.ChangeDamage(damage));
            done(true);
        });
}
