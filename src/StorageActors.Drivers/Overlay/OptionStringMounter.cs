using System.Text;
using Microsoft.Win32.SafeHandles;
using StorageActors.Drivers.Mounting;
using StorageActors.Drivers.Probing;
using StorageActors.Linux;

namespace StorageActors.Drivers.Overlay;

/// <summary>
/// Mounts by mount(2), for kernels that take layers in no other way, as <see cref="OptionPlan"/> says: with names relative to the driver's home, and by
/// their short links where a page has no room for more.
/// </summary>
/// <param name="tree">The store.</param>
/// <param name="namings">Ways to name a directory relative to the home, the shortest last.</param>
/// <param name="words">Explicit options of every mount.</param>
internal sealed class OptionStringMounter(
    StoreTree tree, IReadOnlyList<Func<string, string>> namings, IReadOnlyList<KeyValuePair<string, string>> words) : IOverlayMounter
{
    public bool Mount(OverlayStack stack, string target)
    {
        var calls = OptionPlan.Make(stack, words, Environment.SystemPageSize, namings);
        try
        {
            foreach (var (flags, data) in calls) Libc.Mount("overlay", target, "overlay", flags, Encoding.UTF8.GetBytes(data));
        }
        catch (LinuxException e) when (e.Errno == Errno.ENOENT)
        {
            // This API does not say which.
            throw stack.Lowers.FirstOrDefault(static lower => Libc.TryStat(lower, out _) == Errno.ENOENT) is { } missing ? new LinuxException("mount", missing, Errno.ENOENT) : e;
        }

        try
        {
            var isReadOnly = Libc.StatFs(target).IsReadOnly;
            if (!isReadOnly || calls[0].Flags.HasFlag(MountFlags.ReadOnly)) return isReadOnly;
        }
        catch (LinuxException)
        {
            // Nobody is told of a mount that cannot be looked at, so nobody would unmount it.
            Libc.TryUmount2(target, UnmountFlags.Detach);
            throw;
        }

        Libc.Umount2(target, UnmountFlags.Detach);
        throw ContextMounter.FellBackToReadOnly(stack, target);
    }

    public SafeFileHandle View(OverlayStack stack) =>
        ViewPoint.Open(tree.Root, point => Mount(stack, point), static point => Libc.Umount2(point, UnmountFlags.Detach));

    public bool IsUpperInUse(OverlayStack stack)
    {
        // No directory can be upper and work; the kernel finds that after it has asked who uses the upper one.
        var asked = stack with { Lowers = [stack.Lowers[^1]], Work = stack.Upper, Words = MountWords.None };
        try
        {
            var call = OptionPlan.Make(asked, [.. words.Where(static word => word.Key == OverlayAbilities.UserXattrWord), new("index", "on")], Environment.SystemPageSize, namings)[0];
            ViewPoint.Open(tree.Root, point => Libc.Mount("overlay", point, "overlay", call.Flags, Encoding.UTF8.GetBytes(call.Data)), static point => Libc.Umount2(point, UnmountFlags.Detach)).Dispose();
            return false;
        }
        catch (LinuxException e) when (ContextMounter.SaysWhetherInUse(e.Errno))
        {
            return e.Errno == Errno.EBUSY;
        }
    }
}
