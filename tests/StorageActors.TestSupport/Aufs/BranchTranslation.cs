using System.Text;
using Microsoft.Win32.SafeHandles;
using StorageActors.Archive.Apply;
using StorageActors.Linux;

namespace StorageActors.TestSupport.Aufs;

/// <summary>
/// An aufs branch as a directory that overlayfs understands, and back. Files are shared by hard links, so what is written into one is written into both;
/// names, directories and marks are made anew.
/// </summary>
internal static class BranchTranslation
{
    private static ReadOnlySpan<byte> Opaque => "trusted.overlay.opaque"u8;

    /// <summary>Makes the overlay directory of a branch.</summary>
    internal static void ToOverlay(SafeFileHandle branch, SafeFileHandle overlay)
    {
        var names = Names(branch);
        foreach (var name in names.Where(static name => !EntryRoles.IsReserved(name)))
        {
            // The whiteout wins where a branch has both.
            if (names.Any(other => EntryRoles.Of(other, out var hidden) == EntryRole.Whiteout && hidden.SequenceEqual(name))) continue;
            if (!Libc.FStatAt(branch, name).IsDirectory)
            {
                Libc.LinkAt(branch, name, overlay, name);
                continue;
            }

            Libc.MkdirAt(overlay, name, 0x1C0);
            using var from = Libc.OpenDirectoryAt(branch, name);
            using var to = Libc.OpenDirectoryAt(overlay, name);
            ToOverlay(from, to);
        }

        foreach (var name in names)
        {
            if (EntryRoles.Of(name, out var hidden) == EntryRole.Whiteout) Libc.MknodAt(overlay, hidden, FileType.CharacterDevice, 0);
        }

        if (names.Any(static name => EntryRoles.Of(name, out _) == EntryRole.Opaque)) Libc.FSetXattr(overlay, Opaque, "y"u8);
        CopyAttributes(branch, overlay);
    }

    /// <summary>Makes a branch what its overlay directory has become.</summary>
    internal static void ToBranch(SafeFileHandle overlay, SafeFileHandle branch, bool isRoot = true)
    {
        var kept = new HashSet<string>(StringComparer.Ordinal);
        foreach (var name in Names(overlay))
        {
            var status = Libc.FStatAt(overlay, name);
            var whiteout = EntryRoles.WhiteoutOf(name);
            if (status is { Type: FileType.CharacterDevice } && status.Device == default)
            {
                kept.Add(Text(whiteout));
                if (Libc.TryFStatAt(branch, whiteout, out _) == Errno.None) continue;
                DirectoryTree.Remove(branch, name);
                Libc.OpenAt(branch, whiteout, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Exclusive, 0x124).Dispose();
                continue;
            }

            kept.Add(Text(name));
            var isThere = Libc.TryFStatAt(branch, name, out var before) == Errno.None;
            if (status.IsDirectory)
            {
                if (isThere && !before.IsDirectory) DirectoryTree.Remove(branch, name);
                if (!isThere || !before.IsDirectory) Libc.MkdirAt(branch, name, 0x1C0);
                using var from = Libc.OpenDirectoryAt(overlay, name);
                using var to = Libc.OpenDirectoryAt(branch, name);
                ToBranch(from, to, isRoot: false);
            }
            else if (!isThere || before.Inode != status.Inode)
            {
                DirectoryTree.Remove(branch, name);
                Libc.LinkAt(overlay, name, branch, name);
            }
        }

        if (!isRoot && Libc.FGetXattr(overlay, Opaque) is [(byte)'y'])
        {
            kept.Add(Text(EntryRoles.OpaqueMark));
            Libc.OpenAt(branch, EntryRoles.OpaqueMark, OpenFlags.WriteOnly | OpenFlags.Create, 0x124).Dispose();
        }

        foreach (var name in Names(branch))
        {
            var isAufs = EntryRoles.Of(name, out _) == EntryRole.AufsMetadata;
            if (!isAufs && !kept.Contains(Text(name))) DirectoryTree.Remove(branch, name);
        }

        CopyAttributes(overlay, branch);
    }

    private static void CopyAttributes(SafeFileHandle from, SafeFileHandle to)
    {
        var status = Libc.FStat(from);
        Libc.FChown(to, status.UserId, status.GroupId);
        foreach (var attribute in Libc.FListXattr(to))
        {
            if (!OverlayWhiteouts.IsOverlay(attribute) && Libc.FGetXattr(from, attribute) is null) Libc.FRemoveXattr(to, attribute);
        }

        foreach (var attribute in Libc.FListXattr(from))
        {
            if (!OverlayWhiteouts.IsOverlay(attribute) && Libc.FGetXattr(from, attribute) is { } value) Libc.FSetXattr(to, attribute, value);
        }

        Libc.FChmod(to, status.Permissions);
        Libc.FUtimens(to, status.AccessTime, status.ModifyTime);
    }

    private static List<byte[]> Names(SafeFileHandle directory)
    {
        // A description of its own: the caller's may have been read to its end.
        using var opened = Libc.OpenDirectoryAt(directory, "."u8);
        using var reader = new DirectoryReader(opened);
        var names = new List<byte[]>();
        while (reader.TryRead(out var entry)) names.Add(entry.Name.ToArray());
        return names;
    }

    private static string Text(ReadOnlySpan<byte> name) => Encoding.Latin1.GetString(name);
}
