using Microsoft.Win32.SafeHandles;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Drivers.Overlay;

/// <summary>
/// Remembers whose ids a mount shows, which the kernel tells nobody: written before it is made, so that a mount that outlived its engine is taken over for what it is.
/// Two lines, users and groups, as commands take them; without the file they are the host's.
/// </summary>
internal static class IdsMark
{
    internal static void Write(SafeFileHandle directory, LayerDirectory layer, IdMap ids)
    {
        if (!ids.IsHost())
        {
            SmallFile.Write(layer.Ids, $"{string.Join(',', ids.Uidmap)}\n{string.Join(',', ids.Gidmap)}\n");
            return;
        }

        var errno = Libc.TryUnlinkAt(directory, "ids"u8);
        if (errno is not (Errno.None or Errno.ENOENT)) throw Libc.Failure("unlinkat", directory, "ids"u8, errno);
    }

    /// <summary>The map of a mount that is there.</summary>
    internal static IdMap Read(LayerDirectory layer)
    {
        if (SmallFile.TryRead(layer.Ids) is not { } text) return IdMap.Host;
        try
        {
            var lines = text.Split('\n');
            return new IdMap(IdMap.ParseRanges(lines[0]), IdMap.ParseRanges(lines.Length > 1 ? lines[1] : ""));
        }
        catch (FormatException e)
        {
            throw DriverErrors.Refuse(StorageErrorCode.Damaged, "mount", $"{layer.Ids} says of no map that a mount has: {e.Message}. Unmount {layer.Merged} and delete it.", layer.Ids);
        }
    }
}
