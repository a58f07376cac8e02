using Microsoft.Win32.SafeHandles;
using StorageActors.Linux;

namespace StorageActors.Drivers.Overlay;

/// <summary>Mounts by the new API: a context is configured step by step and becomes a mount that is checked before anybody can see it.</summary>
internal abstract class ContextMounter(IReadOnlyList<KeyValuePair<string, string>> words) : IOverlayMounter
{
    protected const string Lower = "lowerdir+";

    public void Mount(OverlayStack stack, string target)
    {
        // Closed before anybody unmounts: an open descriptor keeps the mount busy.
        using var mount = Create(stack);
        if (stack.Upper is not null && !stack.Words.ReadOnly && Libc.FStatFs(mount).IsReadOnly) throw FellBackToReadOnly(stack, target);
        Libc.MoveMount(mount, target);
    }

    public SafeFileHandle View(OverlayStack stack) => Create(stack);

    public bool IsUpperInUse(OverlayStack stack)
    {
        try
        {
            using var context = Libc.FsOpen("overlay");
            Libc.FsConfigString(context, "source", "overlay");
            AddLower(context, stack.Lowers[^1]);
            AddLayer(context, "upperdir", stack.Upper!);
            // No directory can be both; the kernel finds that after it has asked who uses the upper one.
            AddLayer(context, "workdir", stack.Upper!);
            Libc.FsConfigString(context, "index", "on");
            Libc.FsConfigCreate(context);
            return false;
        }
        catch (LinuxException e)
        {
            return e.Errno == Errno.EBUSY;
        }
    }

    internal static LinuxException FellBackToReadOnly(OverlayStack stack, string target) => new(
        "mount", target, Errno.EROFS,
        detail: $"the kernel made the mount read-only although writing was asked for: it could not set up {stack.Work}; is the file system full or read-only?");

    protected abstract void AddLayer(SafeFileHandle context, string key, string path);

    protected virtual void AddLower(SafeFileHandle context, string path) => AddLayer(context, Lower, path);

    private SafeFileHandle Create(OverlayStack stack)
    {
        using var context = Libc.FsOpen("overlay");
        Libc.FsConfigString(context, "source", "overlay");
        foreach (var lower in stack.Lowers) AddLower(context, lower);
        if (stack.Upper is not null)
        {
            AddLayer(context, "upperdir", stack.Upper);
            AddLayer(context, "workdir", stack.Work!);
            if (stack.Words.Volatile) Libc.FsConfigFlag(context, "volatile");
        }

        foreach (var (key, value) in stack.ExplicitWords(words)) Libc.FsConfigString(context, key, value);
        if (stack.Words.Context is { } label) Libc.FsConfigString(context, "context", label);
        Libc.FsConfigCreate(context);
        var isReadOnly = stack.Upper is null || stack.Words.ReadOnly;
        return Libc.FsMount(context, stack.Words.Attributes | (isReadOnly ? MountAttributes.ReadOnly : MountAttributes.None));
    }
}

/// <summary>Layers by descriptor: any path, and nothing to escape.</summary>
internal sealed class DescriptorMounter(StoreTree tree, IReadOnlyList<KeyValuePair<string, string>> words) : ContextMounter(words)
{
    protected override void AddLayer(SafeFileHandle context, string key, string path)
    {
        using var directory = tree.Open(path);
        Libc.FsConfigFd(context, key, directory);
    }

    protected override void AddLower(SafeFileHandle context, string path)
    {
        using var layer = tree.Take(path);
        Libc.FsConfigFd(context, Lower, layer.Directory);
    }
}

/// <summary>Layers by name. The kernel takes 255 bytes, so the names are relative to the driver's home.</summary>
internal sealed class NameMounter(Func<string, string> shorten, IReadOnlyList<KeyValuePair<string, string>> words) : ContextMounter(words)
{
    protected override void AddLayer(SafeFileHandle context, string key, string path) => Libc.FsConfigString(context, key, shorten(path));
}
