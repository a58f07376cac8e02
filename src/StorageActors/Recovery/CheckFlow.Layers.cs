using StorageActors.Catalog;
using StorageActors.DriverOperations;
using StorageActors.Protocol;

namespace StorageActors.Recovery;

/// <content>What is said of layers beside their archives: those without one, whether each can be mounted, and which nothing needs.</content>
internal sealed partial class CheckFlow
{
    /// <summary>Trials at a time: enough to keep the disk busy, few enough to leave it to others.</summary>
    private const int Trials = 4;

    /// <summary>A layer that was frozen without being read has nothing to be compared with; that it can be read to the end is all there is to know.</summary>
    private void Unread(LayerRecord layer)
    {
        const string advice = "it was sealed without being read, so it has no digest and its content cannot be verified; commit it, and it gets one";
        if (Store.View.Current.FindOwn(layer.Id) is not { Kind: LayerKind.Sealed, DiffId: null })
        {
            Next(); // Removed, or committed meanwhile.
        }
        else if (layer.Damage is not null)
        {
            Found("damaged-layer", layer.Id.Value, $"it is marked as damaged: {layer.Damage}");
        }
        else if (!_command.Full)
        {
            Noted("not-verified", layer.Id, advice);
        }
        else
        {
            Certainly(layer, new ReadLayer(Store.Layout.Locate(layer), Store.ParentsOf(layer)), error =>
            {
                if (error is null) Noted("not-verified", layer.Id, $"all of it can be read, but {advice}");
                else if (IsDamage(error.Code)) Found("unreadable-layer", layer.Id.Value, error.Message);
                else NotChecked(layer.Id.Value, error);
            });
        }
    }

    /// <summary>Every layer that is not mounted is shown as a mount would, a few at a time; those that cannot be are looked at again, one by one.</summary>
    private void TryMounts(IReadOnlyCollection<LayerId> missing)
    {
        var (waiting, running) = (new Queue<LayerRecord>(Store.View.Layers()), 0);
        More();

        void More()
        {
            while (_stopped is null && running < Trials && waiting.TryDequeue(out var layer))
            {
                if (IsToBeTried(layer)) Begin(layer);
            }

            if (running == 0) Next();
        }

        void Begin(LayerRecord layer)
        {
            running++;
            Perform(new TryMount(Store.Layout.Locate(layer), Store.ParentsOf(layer)), _ => End(), _ =>
            {
                _steps.Enqueue(() => TryMountAgain(layer));
                End();
            });
        }

        void End()
        {
            running--;
            More();
        }

        // Of a layer that is damaged, or rests on one that is, enough is said; one that is mounted can be.
        bool IsToBeTried(LayerRecord layer) =>
            Store.View.Current.FindOwn(layer.Id) is not null && Store.View.Current.DamageOf(layer) is null && !Store.Mounts.IsMounted(layer.Id)
            && !missing.Contains(layer.Id) && !Store.View.Current.AncestorsOf(layer).Any(missing.Contains);
    }

    private void TryMountAgain(LayerRecord layer) => Certainly(layer, new TryMount(Store.Layout.Locate(layer), Store.ParentsOf(layer)), error =>
    {
        if (error is null) Next();
        else if (error.Code is StorageErrorCode.Busy or StorageErrorCode.InUse or StorageErrorCode.NoSpace) NotChecked(layer.Id.Value, error);
        else Found("not-mountable", layer.Id.Value, $"it cannot be mounted: {error.Message}");
    });

    /// <summary>Looks at a layer that is kept from going meanwhile, so that one on its way out is not taken for damage.</summary>
    private void Certainly(LayerRecord layer, DriverOperation<bool> look, Action<StorageError?> then)
    {
        Ask<CatalogInternal.LayersPinned>(
            Store.Catalog, new CatalogInternal.PinLayers(Operation, [layer.Id]), _ => Perform(look, _ => Free(null), Free), _ => Next());

        void Free(StorageError? error) => Ask<CatalogInternal.Freed>(Store.Catalog, new CatalogInternal.Free(), _ => then(error));
    }

    private void NoteUnneeded()
    {
        var (current, latest) = (Store.View.Current, Removable.Latest(Store.Time.GetUtcNow(), _command.UnneededAfter ?? Unneeded));
        foreach (var id in Removable.Garbage(current, Store.Mounts.IsHeld, latest))
        {
            var made = current.FindLayer(id)!.Created.UtcDateTime;
            _steps.Enqueue(() => Noted("unneeded-layer", id, FormattableString.Invariant($"no name, image, child or lease needs it, and it was made {made:yyyy-MM-dd HH:mm} UTC; gc removes it")));
        }

        Next();
    }
}
