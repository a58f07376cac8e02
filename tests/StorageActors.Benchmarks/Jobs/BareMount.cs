using Microsoft.Win32.SafeHandles;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Benchmarks.Jobs;

/// <summary>
/// The system calls of a mount and an unmount alone: what the kernel takes. With every descriptor open before, as no program has them that mounts a stack for the first time;
/// or with each layer opened by its path, as a plain one does.
/// </summary>
internal sealed class BareMount : IDisposable
{
    private readonly List<SafeFileHandle> _lowers;
    private readonly SafeFileHandle _upper;
    private readonly SafeFileHandle _work;
    private readonly List<string> _paths;
    private readonly string _target;

    internal BareMount(string home, LayerId layer, IEnumerable<LayerId> stack)
    {
        _paths = stack.Reverse().Select(lower => $"{home}/{lower}/diff").ToList();
        _lowers = _paths.ConvertAll(Open);
        _upper = Libc.Open($"{home}/{layer}/diff", OpenFlags.Path | OpenFlags.Directory);
        _work = Libc.Open($"{home}/{layer}/work", OpenFlags.Path | OpenFlags.Directory);
        _target = $"{home}/{layer}/merged";
    }

    internal void MountAndUnmount(bool byPath = false)
    {
        using (var context = Libc.FsOpen("overlay"))
        {
            Libc.FsConfigString(context, "source", "overlay");
            for (var i = 0; i < _paths.Count; i++)
            {
                using var opened = byPath ? Open(_paths[i]) : null;
                Libc.FsConfigFd(context, "lowerdir+", opened ?? _lowers[i]);
            }

            Libc.FsConfigFd(context, "upperdir", _upper);
            Libc.FsConfigFd(context, "workdir", _work);
            Libc.FsConfigCreate(context);
            using var mount = Libc.FsMount(context, MountAttributes.None);
            Libc.MoveMount(mount, _target);
        }

        var errno = Libc.TryUmount2(_target);
        if (errno != Errno.None) throw new LinuxException("umount2", _target, errno);
    }

    private static SafeFileHandle Open(string path) => Libc.Open(path, OpenFlags.Path | OpenFlags.Directory);

    public void Dispose()
    {
        foreach (var lower in _lowers) lower.Dispose();
        _upper.Dispose();
        _work.Dispose();
    }
}
