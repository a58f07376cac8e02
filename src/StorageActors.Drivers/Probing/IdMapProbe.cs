using System.Collections.Concurrent;
using StorageActors.Drivers.Mounting;
using StorageActors.Drivers.Overlay;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Drivers.Probing;

/// <summary>
/// Finds out whether overlayfs takes layers with shifted owners here, by a view of one that nobody sees. That it does is kept for this process; why not is found out
/// again each time, since it may be a limit that somebody raises. A failure that says nothing of the kernel (<see cref="ProbeErrors"/>) is thrown.
/// </summary>
internal static class IdMapProbe
{
    private static readonly ConcurrentDictionary<(string Kernel, DeviceNumber FileSystem), bool> Known = new();

    /// <summary>Null when it does, else why not.</summary>
    /// <param name="root">The store's root.</param>
    /// <param name="abilities">What else was found to work.</param>
    internal static string? Run(string root, OverlayAbilities abilities)
    {
        if (abilities is not { Method: OverlayMethod.Descriptors, Detached: true })
            return "the kernel does not take layers of an overlay by descriptor from a mount that is attached nowhere (Linux 6.15)";
        var key = (Libc.KernelRelease(), Libc.Stat(root, AtFlags.None).FileSystem);
        if (Known.ContainsKey(key)) return null;
        var why = Ask(() =>
        {
            using var scratch = new ProbeScratch(root);
            scratch.Make("lower1", "lower2");
            return Show(root, scratch.Path, abilities);
        });
        if (why is null) Known[key] = true;
        return why;
    }

    /// <summary>The same for people, who are told of a failure, too.</summary>
    internal static string? Tell(Func<string?> probe)
    {
        try
        {
            return probe();
        }
        catch (Exception e) when (e is LinuxException or DriverException)
        {
            return $"that could not be found out: {e.Message}";
        }
    }

    /// <summary>The answer of a probe, or what its failure says of the kernel.</summary>
    /// <exception cref="LinuxException">It says nothing.</exception>
    internal static string? Ask(Func<string?> show)
    {
        try
        {
            return show();
        }
        catch (DriverException e) when (UserNamespace.IsOwn && e.Error.Errno is nameof(Errno.EPERM) or nameof(Errno.EACCES))
        {
            return "in a user namespace the kernel shows no files of the machine's file systems with other owners";
        }
        catch (DriverException e) when (e.Error.Code is not (StorageErrorCode.Busy or StorageErrorCode.InUse or StorageErrorCode.NoSpace or StorageErrorCode.Io))
        {
            return e.Error.Message.TrimEnd('.');
        }
        catch (LinuxException e) when (!ProbeErrors.IsPassing(e.Errno))
        {
            return e.Message;
        }
    }

    private static string? Show(string root, string scratch, OverlayAbilities abilities)
    {
        using var tree = new StoreTree(root);
        tree.TryDetach();
        var stack = new OverlayStack([scratch + "/lower1", scratch + "/lower2"], null, null, MountWords.None).With(new IdShift("0 1 1\n", "0 2 1\n"));
        using var view = new DescriptorMounter(tree, abilities.Words).View(stack);
        var status = Libc.FStat(view);
        return (status.UserId, status.GroupId) == (1u, 2u) ? null : $"an overlay shows {status.UserId}:{status.GroupId} where 1:2 was asked for";
    }
}
