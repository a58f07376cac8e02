using Akka.Actor;
using StorageActors.Catalog;
using StorageActors.DriverOperations;
using StorageActors.Protocol;
using StorageActors.Trash;

namespace StorageActors.Flows;

/// <summary><see cref="CatalogProtocol.PutImage"/>: its directory is staged, durable, then renamed, then journaled; its layers stay meanwhile.</summary>
internal sealed class PutImageFlow(FlowContext store, IActorRef requester, CatalogProtocol.PutImage command) : FlowActor(store, requester, "put image")
{
    protected override void Start() => Ask<CatalogInternal.ImageTaken>(Store.Catalog, new CatalogInternal.TakeImage(command.Id), taken =>
        Ask<CatalogInternal.LayersPinned>(Store.Catalog, new CatalogInternal.PinLayers(Operation, command.Layers), _ => Write(taken.Known is { AdditionalStore: null } own ? own : null)));

    protected override void OnStop(StorageError why) => CancelOperations();

    private void Write(ImageRecord? known)
    {
        if (ImageRules.CheckPut(Store.View.Current, command) is { } refusal)
        {
            Refuse(refusal);
            return;
        }

        var image = ImageRules.Merge(command, known, Store.Time.GetUtcNow());
        Perform(new PutImageFiles(image, command.Documents, command.Blobs ?? [], Store.Settings.IsDurable), replaced => Commit(image, replaced));
    }

    /// <summary>What it replaces is deleted when the journal has what took its place, no sooner.</summary>
    private void Commit(ImageRecord image, TrashedPath replaced) =>
        Ask<CatalogInternal.ImageCommitted>(Store.Catalog, new CatalogInternal.CommitImage(image), committed =>
        {
            Store.Trash.Tell(new TrashProtocol.Collect(replaced.Path));
            Finish(new CatalogProtocol.ImagePut(committed.Image));
        });
}

/// <summary>
/// <see cref="CatalogProtocol.RemoveImage"/>: the image goes first, then its layers from the top down, as far as nothing needs them. A crash in between
/// leaves layers that the next collection of garbage takes.
/// </summary>
internal sealed class RemoveImageFlow(FlowContext store, IActorRef requester, CatalogProtocol.RemoveImage command) : RemovingFlow(store, requester, "remove image")
{
    protected override void Start() => Ask<CatalogInternal.ImageTaken>(Store.Catalog, new CatalogInternal.TakeImage(command.Image), taken =>
    {
        if (taken.Known is not { } image)
        {
            Refuse(Refusals.NotFound(Operation, command.Image));
            return;
        }

        if (Refusals.Elsewhere(Operation, image) is { } elsewhere)
        {
            Refuse(elsewhere);
            return;
        }

        var layers = Removable.With(Store.View.Current, image, Store.Mounts.IsHeld, command.Force);
        if (command.DryRun) Finish(new CatalogProtocol.ImageRemoved(image.Id, layers));
        else Perform(new RemoveImageFiles(image.Id), trashed => Commit(image, layers, trashed));
    });

    /// <summary>Deleted when the journal has the removal, no sooner: until then, what lies in the trash is what a start knows of it.</summary>
    private void Commit(ImageRecord image, IReadOnlyList<LayerId> layers, TrashedPath trashed) =>
        Ask<CatalogInternal.ImageRemovalCommitted>(Store.Catalog, new CatalogInternal.CommitImageRemoval(image.Id), _ =>
        {
            Store.Trash.Tell(new TrashProtocol.Collect(trashed.Path));
            Remove(layers, command.Force, (removed, _) => Finish(new CatalogProtocol.ImageRemoved(image.Id, removed)));
        });
}

/// <summary>Reads a layer's blob that is kept with an image. Nothing is held meanwhile: if the image goes before it is opened, it is refused.</summary>
internal sealed class ReadBlobFlow : FlowActor
{
    private readonly CatalogProtocol.ReadBlob _command;
    private readonly FlowProgress _progress;

    public ReadBlobFlow(FlowContext store, IActorRef requester, CatalogProtocol.ReadBlob command)
        : base(store, requester, "read blob")
    {
        (_command, _progress) = (command, new FlowProgress(store, command.Ticket, StagingPhase.Writing) { Total = null });
        Receive<ExtractionAdvanced>(advanced => _progress.Reached(advanced.BytesRead));
    }

    protected override void Start()
    {
        if (Store.View.Current.FindImage(_command.Image) is not { } image) Refuse(Refusals.NotFound(Operation, _command.Image));
        else if (image.Blobs?.Contains(_command.Digest) == true) Send(image);
        else Refuse(Refusals.NotFound(Operation, $"image {image.Id} keeps no blob {_command.Digest}", StorageErrorReason.UnknownDigest, image: image.Id));
    }

    protected override void OnStop(StorageError why) => CancelOperations();

    /// <summary>It holds nothing that would have to be given back.</summary>
    protected override void Refuse(StorageError error)
    {
        _progress.End(StagingPhase.Failed);
        Answer(new StoreProtocol.Refused(error));
    }

    private void Send(ImageRecord image)
    {
        _progress.Reached(0);
        Perform(new SendBlob(image, _command.Digest, _command.Target, Store.Settings.IsDurable, ProgressTarget.Of(_command.Ticket, Self)), read =>
        {
            _progress.End(StagingPhase.Done, read.Size);
            Answer(read);
        });
    }
}
