using System.Text;
using Microsoft.Win32.SafeHandles;
using StorageActors.Archive.Diff;
using StorageActors.Blobs;
using StorageActors.Drivers;
using StorageActors.Linux;
using StorageActors.Protocol;
using StorageActors.Store;

namespace StorageActors.DriverOperations;

/// <summary>Has the store say that it uses a feature, durably; before anything that does is written. A store that cannot say so may go on without the feature.</summary>
internal sealed record UseFeature(string Feature) : DriverOperation<Nothing>
{
    internal override string Verb => "mark store";

    internal override Nothing Execute(DriverServices services, CancellationToken stop)
    {
        FormatFile.Change(Verb, services.Layout.Root, root => StoreFormat.Use(root, Feature));
        CrashPoint.Reached(CrashPoint.StoreMarked);
        return Nothing.Instance;
    }
}

/// <summary>Has the store say no more that it uses a feature, durably; after the last thing that does is gone.</summary>
internal sealed record DropFeature(string Feature) : DriverOperation<Nothing>
{
    internal override string Verb => "unmark store";

    internal override Nothing Execute(DriverServices services, CancellationToken stop)
    {
        FormatFile.Change(Verb, services.Layout.Root, root => StoreFormat.Drop(root, Feature));
        CrashPoint.Reached(CrashPoint.StoreUnmarked);
        return Nothing.Instance;
    }
}

/// <summary>Changes of a store's format file without which the store serves on: one that is missing or damaged is the command's failure, not the store's.</summary>
file static class FormatFile
{
    internal static void Change(string verb, string root, Func<string, bool> change)
    {
        try
        {
            if (!change(root)) throw new PermanentDriverException(new StorageError(StorageErrorCode.Damaged, verb, "the store has no format file any more; restore it from a backup", StoreLayout.FormatFileOf(root)));
        }
        catch (StoreCorruptException e)
        {
            throw new PermanentDriverException(e.Error, e);
        }
    }
}

/// <summary>
/// Takes a layer out of the store: the driver removes what lies outside its directory, then, under the file lock, one rename to the trash, durable when
/// this is done. Drain the layer first.
/// </summary>
internal sealed record RemoveLayer(LayerLocation Layer) : DriverOperation<TrashedPath>
{
    internal override string Verb => "remove";

    internal override LayerId? Turn => Layer.Id;

    internal override TrashedPath Execute(DriverServices services, CancellationToken stop)
    {
        CrashPoint.Reached(CrashPoint.BeforeRetire);
        if (Libc.TryStat(Layer.Path, out _) == Errno.ENOENT) return new TrashedPath(null); // A damaged layer may have no directory.
        services.Filled.Remove(Layer.Id);
        services.Reserve.ReleaseWhenFull();
        services.Driver.Retire(Layer);
        using var home = Libc.OpenDirectory(services.Layout.DriverHome);
        var name = Encoding.UTF8.GetBytes(Layer.Id.Value);
        CrashPoint.Reached(CrashPoint.BeforeTrash);
        var was = Layer.Id.Value[..Math.Min(12, Layer.Id.Value.Length)];
        var path = TrashDirectory.TakeDurably(services.Layout, services.Lock, "remove layer", home, name, was, CrashPoint.AfterTrash);
        CrashPoint.Reached(CrashPoint.TrashDurable);
        return new TrashedPath(path);
    }
}

/// <summary>Gives the space back that is set aside, if the disk is full: the journal did not take what happened to a layer, and is about to be asked again.</summary>
internal sealed record MakeRoom(LayerId Layer) : DriverOperation<Nothing>
{
    internal override string Verb => "make room";

    /// <summary>The layer's next actor asks for its mount first, and waits for this.</summary>
    internal override LayerId? Turn => Layer;

    internal override Nothing Execute(DriverServices services, CancellationToken stop)
    {
        services.Reserve.ReleaseWhenFull();
        return Nothing.Instance;
    }
}

/// <summary>Replaces a layer's record in its directory, after the change was journaled; documents that the record names get their names then.</summary>
internal sealed record WriteLayerRecord(LayerRecord Record) : DriverOperation<Nothing>
{
    internal override string Verb => "write record";

    internal override LayerId? Turn => Record.Id;

    internal override Nothing Execute(DriverServices services, CancellationToken stop)
    {
        CrashPoint.Reached(CrashPoint.BeforeRecordFile);
        var directory = services.Layout.LayerDirectory(Record.Id);
        LayerFile.Write(directory, Record);
        LayerDocuments.Settle(directory, Record);
        if (Record.Kind == LayerKind.Sealed) services.Filled.Remove(Record.Id);
        CrashPoint.Reached(CrashPoint.AfterRecordFile);
        return Nothing.Instance;
    }
}

/// <summary>
/// Puts an image's directory, in place of the one it has, if any: staged first, durable but for the blobs' content where <paramref name="Durable"/> is not
/// asked for, then one rename under the file lock. Returns where the old one is in the trash.
/// </summary>
internal sealed record PutImageFiles(ImageRecord Image, IReadOnlyList<BigData> Documents, IReadOnlyList<ImageBlob> Blobs, bool Durable) : DriverOperation<TrashedPath>
{
    internal override string Verb => "put image";

    internal override OperationLane Lane => Blobs.Count > 0 ? OperationLane.Content : OperationLane.Short;

    /// <summary>A blob may come from a stream.</summary>
    internal override bool Repeatable => Blobs.Count == 0;

    internal override TrashedPath Execute(DriverServices services, CancellationToken stop)
    {
        var layout = services.Layout;
        var staged = layout.NewImageDirectory(Image.Id);
        using var home = Libc.OpenDirectory(layout.ImageHome);
        var name = Encoding.UTF8.GetBytes(Path.GetFileName(staged));
        var image = Encoding.UTF8.GetBytes(Image.Id.Value);
        var (committed, replaced) = (false, false);
        try
        {
            ImageFile.Stage(
                layout, staged, Image, Documents, directory => ImageBlobs.Stage(layout, directory, Image, Blobs, Durable, services.Transfers, stop));
            CrashPoint.Reached(CrashPoint.ImageStaged);
            // Known as soon as it is so: what fails from then on, the unlock too, has something to take back.
            services.Lock.Under("put image", () =>
            {
                replaced = ImageFile.Commit(home, name, image);
                return committed = true;
            }, home);
            CrashPoint.Reached(CrashPoint.ImageRenamed);
            Libc.FSync(home);
        }
        catch
        {
            TryUndo(services.Lock, home, name, image, committed, replaced);
            throw;
        }

        CrashPoint.Reached(CrashPoint.ImageDurable);
        return new TrashedPath(replaced ? Discard(layout, home, name) : null);
    }

    /// <summary>
    /// Leaves the image as it was, and nothing of what was staged. Where an exchange cannot be undone, the staged name is the old image's: it stays for the next start, which compares
    /// all records then (<see cref="ImageFile.IsAnyStaged"/>). Nothing that goes wrong here replaces what went wrong before.
    /// </summary>
    private static void TryUndo(StoreLock storeLock, SafeFileHandle home, byte[] name, byte[] image, bool committed, bool replaced)
    {
        try
        {
            if (committed && storeLock.Under("put image", () => ImageFile.TakeBack(home, name, image, replaced)) != Errno.None && replaced) return;
            DirectoryTree.Remove(home, name);
        }
        catch (LinuxException)
        {
            // The next start sees to what is left.
        }
    }

    /// <summary>The image is put: what it was before goes one way or the other.</summary>
    private string? Discard(StoreLayout layout, SafeFileHandle home, byte[] name)
    {
        try
        {
            return TrashDirectory.Take(layout, home, name, Image.Id.Value[..12]);
        }
        catch (LinuxException)
        {
            DirectoryTree.Remove(home, name);
            return null;
        }
    }
}

/// <summary>Replaces an image's record, after the change of its names or labels was journaled.</summary>
internal sealed record WriteImageRecord(ImageRecord Image) : DriverOperation<Nothing>
{
    internal override string Verb => "write image record";

    internal override Nothing Execute(DriverServices services, CancellationToken stop)
    {
        CrashPoint.Reached(CrashPoint.BeforeRecordFile);
        ImageFile.Replace(services.Layout, Image);
        CrashPoint.Reached(CrashPoint.AfterRecordFile);
        return Nothing.Instance;
    }
}

/// <summary>Takes an image's directory out of the store by one rename to the trash.</summary>
internal sealed record RemoveImageFiles(ImageId Image) : DriverOperation<TrashedPath>
{
    internal override string Verb => "remove image";

    internal override TrashedPath Execute(DriverServices services, CancellationToken stop)
    {
        services.Reserve.ReleaseWhenFull();
        using var home = Libc.OpenDirectory(services.Layout.ImageHome);
        var name = Encoding.UTF8.GetBytes(Image.Value);
        return new TrashedPath(TrashDirectory.TakeDurably(services.Layout, services.Lock, "remove image", home, name, Image.Value[..12], CrashPoint.ImageTrashed));
    }
}

/// <summary>Reads a blob that is kept with an image and checks its digest.</summary>
internal sealed record VerifyBlob(ImageId Image, Digest Digest) : DriverOperation<Nothing>
{
    internal override string Verb => "verify blob";

    internal override OperationLane Lane => OperationLane.Content;

    internal override Nothing Execute(DriverServices services, CancellationToken stop)
    {
        using var blob = ImageBlobs.Open(services.Layout, Image, Digest) ?? throw new PermanentDriverException(new StorageError(
            StorageErrorCode.Damaged, Verb, $"image {Image} keeps no blob {Digest} any more; import it again"));
        ImageBlobs.Send(blob, Digest, Stream.Null, stop);
        return Nothing.Instance;
    }
}

/// <summary>Copies a blob that is kept with an image to a target, and checks its digest on the way.</summary>
internal sealed record SendBlob(ImageRecord Image, Digest Digest, BlobTarget Target, bool Durable, ProgressTarget? Progress = null) : DriverOperation<CatalogProtocol.BlobRead>
{
    internal override string Verb => "read blob";

    internal override OperationLane Lane => OperationLane.Content;

    /// <summary>A download cannot be written twice.</summary>
    internal override bool Repeatable => false;

    internal override CatalogProtocol.BlobRead Execute(DriverServices services, CancellationToken stop)
    {
        using var blob = ImageBlobs.Open(services.Layout.Of(Image.AdditionalStore), Image.Id, Digest) ?? throw new PermanentDriverException(new StorageError(
            StorageErrorCode.NotFound, Verb, $"image {Image.Id} keeps no blob {Digest}"));
        var size = BlobTargets.Write(Target, services.Transfers, Durable, output => ImageBlobs.Send(blob, Digest, ObservedStream.Of(output, Progress?.Observe(services.Time)), stop), stop);
        return new CatalogProtocol.BlobRead(Digest, size);
    }
}
