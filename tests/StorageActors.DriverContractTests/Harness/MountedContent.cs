using System.Text;
using Microsoft.Win32.SafeHandles;
using StorageActors.Linux;

namespace StorageActors.DriverContractTests.Harness;

/// <summary>Does steps in a directory, as a container does them in its mount: names are replaced, directories on the way are made.</summary>
internal static class MountedContent
{
    internal static void Do(string root, IEnumerable<FileOp> steps)
    {
        using var directory = Libc.OpenDirectory(root);
        foreach (var step in steps) Do(directory, step);
    }

    private static void Do(SafeFileHandle root, FileOp step)
    {
        var path = Encoding.Latin1.GetBytes(step.Path);
        if (step is FileOp.Remove)
        {
            DirectoryTree.Remove(root, path);
            return;
        }

        if (step is FileOp.Opaque)
        {
            var status = Libc.FStatAt(root, path);
            DirectoryTree.Remove(root, path);
            Libc.MkdirAt(root, path, 0x1C0);
            Set(root, path, new Meta(status.Permissions, status.UserId, status.GroupId, status.ModifyTime, []));
            return;
        }

        MakeParents(root, step.Path);
        switch (step)
        {
            case FileOp.Write write:
                DirectoryTree.Remove(root, path);
                using (var file = Libc.OpenAt(root, path, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Exclusive, 0x180))
                {
                    Libc.WriteAll(file, write.Content);
                }

                Set(root, path, write.Meta);
                break;
            case FileOp.MakeDirectory made:
                if (made.Path.Length > 0 && !(Libc.TryFStatAt(root, path, out var there) == Errno.None && there.IsDirectory))
                {
                    DirectoryTree.Remove(root, path);
                    Libc.MkdirAt(root, path, 0x1C0);
                }

                Set(root, made.Path.Length == 0 ? "."u8 : path, made.Meta);
                break;
            case FileOp.Symlink link:
                DirectoryTree.Remove(root, path);
                Libc.SymlinkAt(Encoding.Latin1.GetBytes(link.Target), root, path);
                Libc.FChownAt(root, path, link.Meta.Uid, link.Meta.Gid);
                Libc.UtimensAt(root, path, link.Meta.Mtime, link.Meta.Mtime);
                break;
            case FileOp.HardLink link:
                DirectoryTree.Remove(root, path);
                Libc.LinkAt(root, Encoding.Latin1.GetBytes(link.Target), root, path);
                break;
            case FileOp.Node node:
                DirectoryTree.Remove(root, path);
                Libc.MknodAt(root, path, node.Type, 0x180, node.Device);
                Set(root, path, node.Meta);
                break;
        }
    }

    private static void Set(SafeFileHandle root, ReadOnlySpan<byte> path, Meta meta)
    {
        Libc.FChownAt(root, path, meta.Uid, meta.Gid);
        foreach (var (name, value) in meta.Xattrs) Libc.SetXattrAt(root, path, Encoding.Latin1.GetBytes(name), value);
        Libc.FChmodAt(root, path, meta.Mode);
        Libc.UtimensAt(root, path, meta.Mtime, meta.Mtime);
    }

    private static void MakeParents(SafeFileHandle root, string path)
    {
        for (var slash = path.IndexOf('/'); slash > 0; slash = path.IndexOf('/', slash + 1))
        {
            var parent = Encoding.Latin1.GetBytes(path[..slash]);
            var isThere = Libc.TryFStatAt(root, parent, out var status) == Errno.None;
            if (isThere && status.IsDirectory) continue;
            if (isThere) DirectoryTree.Remove(root, parent);
            Libc.MkdirAt(root, parent, 0x1ED);
            Set(root, parent, Meta.Directory);
        }
    }
}
