using StorageActors.Drivers.Mounting;
using StorageActors.Linux;

namespace StorageActors.Drivers.Aufs;

/// <summary>What the aufs driver needs from the machine. Tests put a simulated kernel behind it. For use from many threads.</summary>
internal interface IAufsKernel
{
    /// <summary>What decides whether aufs works here; loads the module if that can be done.</summary>
    /// <param name="root">The store's root.</param>
    AufsMachine Examine(string root);

    /// <summary>mount(2). Relative names in the options are the calling thread's.</summary>
    /// <exception cref="LinuxException">It failed; nothing is mounted, or, at a remount, what was mounted before still is.</exception>
    void Mount(string source, string target, string type, MountFlags flags, string data);

    /// <summary>umount2(2): EINVAL is "not mounted", EBUSY "somebody uses it".</summary>
    Errno TryUnmount(string target, UnmountFlags flags);

    /// <summary>What is mounted exactly there, asked of the directory itself; null when nothing is.</summary>
    MountPoint.State? Find(string target);

    /// <summary>Runs <c>auplink TARGET flush</c>, which writes back hard links between branches; null when there is no such program.</summary>
    AuplinkRun? Flush(string target);

    /// <summary>Waits before something is tried again.</summary>
    void Pause(TimeSpan time);
}

/// <summary>How auplink ended.</summary>
/// <param name="ExitCode">0, or an errno: 22 when it did not find the mount in the table of mounts.</param>
/// <param name="Output">What it said.</param>
internal sealed record AuplinkRun(int ExitCode, string Output);
