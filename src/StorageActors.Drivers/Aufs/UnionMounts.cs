using System.Security.Cryptography;
using System.Text;
using StorageActors.Drivers.Mounting;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Drivers.Aufs;

/// <summary>Makes and takes away aufs mounts: the calls of a <see cref="BranchPlan"/>, and what the module needs around them.</summary>
internal sealed class UnionMounts : IDisposable
{
    /// <summary>auplink answers this when it did not find the mount in the table of mounts, which other mounts and unmounts can hide from a reader.</summary>
    private const int MountNotFound = 22;

    private const int Retries = 5;
    private static readonly TimeSpan BusyPause = TimeSpan.FromMilliseconds(100);

    private readonly IAufsKernel _kernel;
    private readonly AufsMachine _machine;
    private readonly MountThreads _threads;
    private readonly Action<string> _warn;

    /// <summary>
    /// The module makes the file of inode numbers, opens it and removes its name. Two mounts at once trip over each other's file, so first calls go
    /// one by one. Nothing else waits here: no remount, no unmount, no look-up, no auplink.
    /// </summary>
    private readonly Lock _gate = new();

    /// <param name="home">The driver's home.</param>
    /// <param name="kernel">The machine.</param>
    /// <param name="machine">What it can do.</param>
    /// <param name="warn">Is told what went wrong without keeping anything from being done.</param>
    internal UnionMounts(string home, IAufsKernel kernel, AufsMachine machine, Action<string> warn)
    {
        (_kernel, _machine, _warn, Home) = (kernel, machine, warn, home);
        Xino = XinoOf(home);
        _threads = new MountThreads(home);
    }

    /// <summary>The driver's home.</summary>
    internal string Home { get; }

    /// <summary>The file for inode numbers; it has a name for a moment only.</summary>
    internal string Xino { get; }

    /// <summary>Where it is: in memory, so that no layer gets it, and named after the store, so that two stores are not in each other's way.</summary>
    internal static string XinoOf(string home) =>
        $"/dev/shm/aufs-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(home)).AsSpan(0, 4))}.xino";

    /// <summary>Mounts.</summary>
    /// <param name="stack">What; paths relative to the home.</param>
    /// <param name="target">Where.</param>
    internal void Mount(BranchStack stack, string target)
    {
        if (stack.Ancestors.Count + 1 > _machine.BranchLimit) throw TooDeep(stack.Layer, stack.Ancestors.Count + 1);
        IReadOnlyList<MountCall> calls;
        try
        {
            calls = BranchPlan.Make(stack, Environment.SystemPageSize);
        }
        catch (BranchPlanException e)
        {
            throw new PermanentDriverException(new StorageError(StorageErrorCode.LimitExceeded, "mount", e.Message, target), e);
        }

        var notes = new List<string>();
        try
        {
            _threads.Run(() => Make(stack, calls, target, notes));
        }
        finally
        {
            // Who is told may start threads, which on those would inherit the working directory.
            notes.ForEach(_warn);
        }

        if (!stack.Writable || stack.Flags.HasFlag(MountFlags.ReadOnly) || _kernel.Find(target) is not { IsReadOnly: true }) return;
        notes.Clear();
        Withdraw(target, notes);
        notes.ForEach(_warn);
        throw new LinuxException("mount", target, Errno.EROFS, detail: "the kernel made the mount read-only although writing was asked for; is the file system read-only?");
    }

    /// <summary>Makes one call; for mounts that are no union.</summary>
    internal void Mount(string source, string target, MountFlags flags, string type = "none") => Call(source, target, type, new MountCall(flags, ""));

    /// <summary>Unmounts what is mounted there, writing links back first if it is a union; nothing mounted is success. EBUSY is tried again for half a second.</summary>
    /// <returns>Whether something was mounted.</returns>
    internal bool Unmount(string target, bool force)
    {
        // Asking for the type is cheap, and keeps auplink from directories that it would complain about.
        if (_kernel.Find(target) is { Type: FsMagic.Aufs }) Flush(target);
        return MountPoint.Unmount(target, force, flags => Unmount(target, flags, force), () => _kernel.Find(target));
    }

    /// <summary>Unmounts lazily, as a view is that somebody has open.</summary>
    internal void Detach(string target)
    {
        var errno = _kernel.TryUnmount(target, UnmountFlags.Detach);
        if (errno is not (Errno.None or Errno.EINVAL)) throw new LinuxException("umount2", target, errno, flags: "MNT_DETACH");
    }

    public void Dispose() => _threads.Dispose();

    /// <summary>The refusal of a stack that no mount can show.</summary>
    internal PermanentDriverException TooDeep(LayerId layer, int count) => DriverErrors.Refuse(
        StorageErrorCode.LimitExceeded, "mount",
        $"Layer {layer} would be a stack of {count} layers; this aufs takes {_machine.BranchLimit}. Squash the image, or use the driver overlay.", $"{Home}/{layer}");

    private void Make(BranchStack stack, IReadOnlyList<MountCall> calls, string target, List<string> notes)
    {
        try
        {
            lock (_gate) First(calls[0], target, notes);
        }
        catch (LinuxException e)
        {
            throw Diagnose(e, stack);
        }

        try
        {
            foreach (var call in calls.Skip(1)) Call("none", target, "aufs", call);
        }
        catch (LinuxException e)
        {
            // Plainly: it is no whole mount yet, and auplink would say so in an error that means nothing.
            Withdraw(target, notes);
            throw Diagnose(e, stack);
        }
    }

    private void First(MountCall call, string target, List<string> notes)
    {
        try
        {
            Call("none", target, "aufs", call);
        }
        catch (LinuxException e) when (e.Errno is Errno.EEXIST or Errno.EINVAL && Libc.TryUnlinkAt(Libc.CurrentDirectory, Encoding.ASCII.GetBytes(Xino)) == Errno.None)
        {
            // Nobody else is between making that file and removing its name: whoever left it died there.
            notes.Add($"{Xino} was left by a mount that did not end; it is removed, and {target} mounted again");
            Call("none", target, "aufs", call);
        }
    }

    private void Call(string source, string target, string type, MountCall call)
    {
        try
        {
            _kernel.Mount(source, target, type, call.Flags, call.Data);
        }
        catch (LinuxException e)
        {
            var shown = call.Data.Length <= 240 ? call.Data : $"{call.Data[..240]}... ({call.Data.Length} bytes)";
            throw new LinuxException(
                "mount", target, e.Errno, flags: $"{type}, flags 0x{(ulong)call.Flags:x}", detail: $"source {source}{(shown.Length == 0 ? "" : $", options {shown}")}");
        }
    }

    private Errno Unmount(string target, UnmountFlags flags, bool force)
    {
        for (var attempt = 0; ; attempt++)
        {
            var errno = _kernel.TryUnmount(target, flags);
            if (errno != Errno.EBUSY || force || attempt == Retries) return errno;
            _kernel.Pause(BusyPause);
        }
    }

    private void Withdraw(string target, List<string> notes)
    {
        var errno = _kernel.TryUnmount(target, UnmountFlags.None);
        if (errno is not (Errno.None or Errno.EINVAL)) notes.Add($"{target}: a mount that failed half-way is still there: umount says {errno}");
    }

    private void Flush(string target)
    {
        for (var attempt = 0; ; attempt++)
        {
            if (_kernel.Flush(target) is not { } run)
            {
                _warn($"{target}: there is no program auplink, so hard links between layers may fall apart; install aufs-tools");
                return;
            }

            if (run.ExitCode == 0) return;
            if (run.ExitCode == MountNotFound && attempt < Retries) continue;
            _warn($"{target}: auplink ended with {run.ExitCode} after {attempt + 1} attempts: {run.Output}");
            return;
        }
    }

    /// <summary>The module answers EINVAL to nearly everything, and says more in the kernel's log alone.</summary>
    private LinuxException Diagnose(LinuxException failure, BranchStack stack)
    {
        if (failure.Errno == Errno.ENOSPC)
        {
            var (branches, shm) = (stack.Ancestors.Count + 1, Path.GetDirectoryName(Xino));
            return new LinuxException("mount", failure.Path, Errno.ENOSPC, flags: failure.Flags, detail: $"{shm} is full, or the module was built for fewer than {branches} branches; {failure.Detail}");
        }

        if (failure.Errno is not (Errno.EINVAL or Errno.ENOENT)) return failure;
        foreach (var layer in stack.Ancestors.Prepend(stack.Layer))
        {
            var path = Path.Combine(Home, stack.PathOf(layer));
            if (Libc.TryStat(path, out _) is Errno.ENOENT or Errno.ENOTDIR) return new LinuxException("mount", path, Errno.ENOENT, detail: $"a branch of the mount at {failure.Path}");
        }

        return failure;
    }
}
