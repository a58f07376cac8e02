using Microsoft.Win32.SafeHandles;
using StorageActors.Linux;

namespace StorageActors.Archive.Apply;

/// <summary>
/// Settles what an extraction left open, now that the layers below are known. Cheap: it looks at the few names concerned, not at the layer.
/// </summary>
/// <remarks>
/// A whiteout is written only where it hides something. In a directory that no layer below has, the kernel would list it (as a name that cannot be looked up).
/// A layer keeps its parent for life, so nothing can come below it later. May be repeated after a failure.
/// </remarks>
internal static class LayerRebase
{
    internal const string LateTarget = "a hard link stands in the archive before its file";

    /// <summary>Settles the decisions of one layer; returns warnings.</summary>
    /// <exception cref="LayerApplyException">A hard link names a file that neither the layer nor those below have.</exception>
    internal static IReadOnlyList<string> Settle(DeferredDecisions decisions, ExtractTarget target)
    {
        var below = target.Below ?? throw new ArgumentException("the layers below are not known", nameof(target));
        if (decisions.IsEmpty) return [];
        var warnings = new ApplyWarnings();
        using (var directories = new RebaseDirectories(target, below, decisions.Traces))
        {
            foreach (var path in decisions.ImpliedDirectories) directories.Inherit(path);
            MakeLinks(decisions.Links, target, below, directories, warnings);
            foreach (var path in decisions.Whiteouts) Hide(path, target, below, directories);
            foreach (var path in decisions.OpaqueDirectories) HideBelow(path, target, below, directories);
            if (decisions.RootIsOpaque) HideAll(target, below, directories);
            directories.Complete();
        }

        if (decisions.RootIsImplied) InheritRoot(decisions, target, below);
        return [.. warnings.ToList(), .. target.Owners.TakeWarnings()];
    }

    private static void Hide(ReadOnlySpan<byte> path, ExtractTarget target, ILowerView below, RebaseDirectories directories)
    {
        if (below.Find(path) is null) return;
        var directory = directories.Open(LayerPath.Split(path, out var name));
        if (directory is not null) target.Whiteouts.WriteWhiteout(directory, name);
    }

    private static void HideBelow(ReadOnlySpan<byte> path, ExtractTarget target, ILowerView below, RebaseDirectories directories)
    {
        if (below.Find(path) is not { Status.IsDirectory: true }) return;
        if (directories.Open(path) is { } directory) target.Whiteouts.MarkOpaque(directory, default);
    }

    private static void HideAll(ExtractTarget target, ILowerView below, RebaseDirectories directories)
    {
        var root = directories.Open(default)!;
        foreach (var name in below.List(default))
        {
            if (target.Whiteouts.WriteWhiteout(root, name)) continue;
            if (!Libc.FStatAt(root, name).IsDirectory) continue;
            if (directories.Open(name) is { } directory) target.Whiteouts.MarkOpaque(directory, default);
            root = directories.Open(default)!;
        }
    }

    private static void MakeLinks(
        IReadOnlyList<PendingLink> links, ExtractTarget target, ILowerView below, RebaseDirectories directories, ApplyWarnings warnings)
    {
        var copies = new Dictionary<byte[], byte[]>(ByteStringComparer.Instance);   // target: the first link, which is the copy
        foreach (var link in links)
        {
            var directory = directories.Open(LayerPath.Split(link.Path, out var name)) ?? throw NotThere(link);
            if (copies.TryGetValue(link.Target, out var copy))
            {
                Link(target.Root, copy, directory, name, link);
            }
            else if (below.Find(link.Target) is { } found)
            {
                CopyUp(found, directory, name, link, target);
                copies.Add(link.Target, link.Path);
                warnings.Add("a hard link to a file of a layer below became a copy", PathText.Escape(link.Path));
            }
            else
            {
                Link(target.Root, link.Target, directory, name, link);
                warnings.Add(LateTarget, PathText.Escape(link.Path));
            }
        }
    }

    private static void Link(SafeFileHandle root, ReadOnlySpan<byte> from, SafeFileHandle directory, ReadOnlySpan<byte> name, PendingLink link)
    {
        // Opened without following a link on the way: the target is a path of this layer, and those are real directories.
        const ResolveFlags resolve = ResolveFlags.Beneath | ResolveFlags.NoSymlinks;
        var parent = LayerPath.Split(from, out var last);
        var errno = Libc.TryOpenAt2(root, parent.IsEmpty ? "."u8 : parent, OpenFlags.Path | OpenFlags.Directory, resolve, 0, out var opened);
        using (opened)
        {
            if (errno == Errno.None) errno = Libc.TryLinkAt(opened, last, directory, name);
            if (errno is Errno.EEXIST) return;   // a repeat
            if (errno is Errno.ENOENT or Errno.ENOTDIR or Errno.ELOOP or Errno.EPERM) throw NotThere(link);
            if (errno != Errno.None) throw Libc.Failure("linkat", directory, name, errno);
        }
    }

    private static void CopyUp(LowerEntry found, SafeFileHandle directory, ReadOnlySpan<byte> name, PendingLink link, ExtractTarget target)
    {
        Libc.TryUnlinkAt(directory, name);   // what a failed attempt left
        if (found.Status.IsSymbolicLink)
        {
            Libc.SymlinkAt(Libc.ReadlinkAt(found.Root, found.Path), directory, name);
        }
        else if (found.Status.IsRegular)
        {
            using var source = found.Open();
            using var copy = Libc.OpenAt(directory, name, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Exclusive | OpenFlags.NoFollow, 0x180);
            FileCopy.Copy(source, copy);
        }
        else
        {
            throw EntryApplier.Refused(link.Entry, link.Path, "a hard link to something of a layer below that is neither a file nor a symbolic link", overLimit: false);
        }

        LowerAttributes.Copy(found, directory, name, target);
    }

    private static void InheritRoot(DeferredDecisions decisions, ExtractTarget target, ILowerView below)
    {
        if (below.Find(default) is { } root)
        {
            LowerAttributes.Copy(root, target.Root, default, target);
            return;
        }

        target.Owners.Set(target.Root, 0, 0);
        Libc.FChmod(target.Root, target.RootMode);
        Libc.FUtimens(target.Root, decisions.RootTime, decisions.RootTime);
    }

    internal static LayerApplyException NotThere(PendingLink link) =>
        EntryApplier.Refused(
            link.Entry, link.Path, $"the target of the hard link, \"{PathText.Escape(link.Target)}\", is neither in this layer nor in those below", overLimit: false);
}
