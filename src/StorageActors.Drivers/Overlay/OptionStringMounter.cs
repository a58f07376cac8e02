using System.Security.Cryptography;
using System.Text;
using Microsoft.Win32.SafeHandles;
using StorageActors.Linux;

namespace StorageActors.Drivers.Overlay;

/// <summary>
/// Mounts by mount(2), for kernels that take layers in no other way. The whole stack has to fit one page, so layers go by their short links,
/// relative to the driver's home; what does not fit is refused before the call, since the kernel would cut it off silently.
/// </summary>
/// <param name="tree">The store.</param>
/// <param name="shorten">A path's short form relative to the home.</param>
/// <param name="words">Explicit options of every mount.</param>
internal sealed class OptionStringMounter(
    StoreTree tree, Func<string, string> shorten, IReadOnlyList<KeyValuePair<string, string>> words) : IOverlayMounter
{
    public void Mount(OverlayStack stack, string target)
    {
        var options = Encoding.UTF8.GetBytes(string.Join(',', Options(stack, shorten, words)));
        var flags = Flags(stack);
        Libc.Mount("overlay", target, "overlay", flags, options);
        if (flags.HasFlag(MountFlags.ReadOnly) || !Libc.StatFs(target).IsReadOnly) return;
        Libc.Umount2(target, UnmountFlags.Detach);
        throw ContextMounter.FellBackToReadOnly(stack, target);
    }

    /// <remarks>This API knows no detached mounts: it is mounted in staging, opened and unmounted lazily at once, so that a crash leaves little.</remarks>
    public SafeFileHandle View(OverlayStack stack)
    {
        var point = $"{tree.Root}/staging/view-{RandomNumberGenerator.GetHexString(16, lowercase: true)}";
        using var root = Libc.OpenDirectory(tree.Root);
        var name = tree.Relative(point);
        var errno = Libc.TryMkdirAt(root, "staging"u8, 0x1C0);   // 0700; nearly always there
        if (errno is not (Errno.None or Errno.EEXIST)) throw Libc.Failure("mkdirat", root, "staging"u8, errno);
        Libc.MkdirAt(root, name, 0x1C0);
        try
        {
            Mount(stack, point);
            try
            {
                return Libc.Open(point, OpenFlags.Directory);
            }
            finally
            {
                Libc.Umount2(point, UnmountFlags.Detach);
            }
        }
        finally
        {
            Libc.UnlinkAt(root, name, AtFlags.RemoveDirectory);
        }
    }

    /// <summary>The options as mount(2) and mount(8) take them, in order; commas, colons and backslashes in paths escaped.</summary>
    internal static IEnumerable<string> Options(OverlayStack stack, Func<string, string> name, IEnumerable<KeyValuePair<string, string>> words)
    {
        yield return "lowerdir=" + string.Join(':', stack.Lowers.Select(lower => Escape(name(lower)).Replace(":", "\\:", StringComparison.Ordinal)));
        if (stack.Upper is not null)
        {
            yield return "upperdir=" + Escape(name(stack.Upper));
            yield return "workdir=" + Escape(name(stack.Work!));
            if (stack.Words.Volatile) yield return "volatile";
        }

        foreach (var (key, value) in stack.ExplicitWords(words)) yield return $"{key}={value}";
        if (stack.Words.Context is { } label) yield return $"context=\"{label}\"";
    }

    private static string Escape(string path) =>
        path.Replace("\\", "\\\\", StringComparison.Ordinal).Replace(",", "\\,", StringComparison.Ordinal);

    private static MountFlags Flags(OverlayStack stack)
    {
        var attributes = stack.Words.Attributes;
        var flags = stack.Upper is null || stack.Words.ReadOnly ? MountFlags.ReadOnly : MountFlags.None;
        if (attributes.HasFlag(MountAttributes.NoSuid)) flags |= MountFlags.NoSuid;
        if (attributes.HasFlag(MountAttributes.NoDevices)) flags |= MountFlags.NoDevices;
        if (attributes.HasFlag(MountAttributes.NoExecute)) flags |= MountFlags.NoExecute;
        if (attributes.HasFlag(MountAttributes.NoAccessTime)) flags |= MountFlags.NoAccessTime;
        return flags;
    }
}
