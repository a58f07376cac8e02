using Microsoft.Win32.SafeHandles;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Benchmarks.Jobs;

/// <summary>The system calls of a mount and an unmount alone, with every descriptor open before: what the kernel takes.</summary>
internal sealed class BareMount : IDisposable
{
    private readonly List<SafeFileHandle> _lowers;
    private readonly SafeFileHandle _upper;
    private readonly SafeFileHandle _work;
    private readonly string _target;

    internal BareMount(string home, LayerId layer, IEnumerable<LayerId> stack)
    {
        _lowers = stack.Reverse().Select(lower => Libc.Open($"{home}/{lower}/diff", OpenFlags.Path | OpenFlags.Directory)).ToList();
        _upper = Libc.Open($"{home}/{layer}/diff", OpenFlags.Path | OpenFlags.Directory);
        _work = Libc.Open($"{home}/{layer}/work", OpenFlags.Path | OpenFlags.Directory);
        _target = $"{home}/{layer}/merged";
    }

    internal void MountAndUnmount()
    {
        using (var context = Libc.FsOpen("overlay"))
        {
            Libc.FsConfigString(context, "source", "overlay");
            foreach (var lower in _lowers) Libc.FsConfigFd(context, "lowerdir+", lower);
            Libc.FsConfigFd(context, "upperdir", _upper);
            Libc.FsConfigFd(context, "workdir", _work);
            Libc.FsConfigCreate(context);
            using var mount = Libc.FsMount(context, MountAttributes.None);
            Libc.MoveMount(mount, _target);
        }

        var errno = Libc.TryUmount2(_target);
        if (errno != Errno.None) throw new LinuxException("umount2", _target, errno);
    }

    public void Dispose()
    {
        foreach (var lower in _lowers) lower.Dispose();
        _upper.Dispose();
        _work.Dispose();
    }
}
