using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Drivers.Overlay;

/// <summary>
/// Remembers that a layer was unmounted lazily. Its mount is gone from sight then, but not from those who have something open in it: the kernel would let a
/// second overlay write to the same directory, and only its log would say that what comes of that is undefined.
/// </summary>
internal sealed class DetachedMark(string bootId)
{
    /// <summary>Before a lazy unmount.</summary>
    internal void Set(LayerDirectory layer) => SmallFile.Write(layer.Detached, bootId);

    /// <summary>Before the layer is written to again, or sealed: refuses while the users of the old mount live, and forgets it once they are gone.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="operation">What is wanted.</param>
    /// <param name="isInUse">Asks the kernel whether an overlay has the layer as its upper directory.</param>
    internal void Check(LayerDirectory layer, string operation, Func<bool> isInUse)
    {
        if (SmallFile.TryRead(layer.Detached) is not { } boot) return;
        if (boot == bootId && isInUse())
        {
            throw new TransientDriverException(new StorageError(
                StorageErrorCode.InUse, operation,
                $"Layer {layer.Id} was unmounted by force, and some of those who used it then still do; end them, or wait until they have ended.", layer.Diff,
                nameof(Errno.EBUSY), StorageErrorReason.MountBusy, layer.Id));
        }

        SmallFile.TryDelete(layer.Detached);
    }
}
