using Microsoft.Win32.SafeHandles;
using StorageActors.Drivers.Probing;
using StorageActors.Linux;

namespace StorageActors.Drivers.Overlay;

/// <summary>Mounts by the new API: a context is configured step by step and becomes a mount that is checked before anybody can see it.</summary>
internal abstract class ContextMounter(IReadOnlyList<KeyValuePair<string, string>> words) : IOverlayMounter
{
    protected const string Lower = "lowerdir+";

    public bool Mount(OverlayStack stack, string target)
    {
        // Closed before anybody unmounts: an open descriptor keeps the mount busy.
        using var mount = Create(stack);
        var isReadOnly = Libc.FStatFs(mount).IsReadOnly;
        if (isReadOnly && stack.Upper is not null && !stack.Words.ReadOnly) throw FellBackToReadOnly(stack, target);
        Libc.MoveMount(mount, target);
        return isReadOnly;
    }

    public SafeFileHandle View(OverlayStack stack) => Create(stack);

    public bool IsUpperInUse(OverlayStack stack)
    {
        try
        {
            using var context = Libc.FsOpen("overlay");
            Libc.FsConfigString(context, "source", "overlay");
            Begin();
            AddLower(context, stack.Lowers[^1], null);
            AddLayer(context, "upperdir", stack.Upper!, null);
            // No directory can be both; the kernel finds that after it has asked who uses the upper one.
            AddLayer(context, "workdir", stack.Upper!, null);
            if (words.FirstOrDefault(static word => word.Key == OverlayAbilities.UserXattrWord) is { Key: not null } form) Configure(context, form);
            Libc.FsConfigString(context, "index", "on");
            Libc.FsConfigCreate(context);
            return false;
        }
        catch (LinuxException e) when (SaysWhetherInUse(e.Errno))
        {
            return e.Errno == Errno.EBUSY;
        }
    }

    /// <summary>
    /// Whether the refusal of an overlay whose upper directory is its work directory, too, is an answer: in use, or only the mistake that it is, or nothing there that could be in use.
    /// Any other failure leaves the question open, and must not be taken for a no.
    /// </summary>
    internal static bool SaysWhetherInUse(Errno errno) => errno is Errno.EBUSY or Errno.EINVAL or Errno.ELOOP or Errno.ENOENT or Errno.ENOTDIR;

    internal static LinuxException FellBackToReadOnly(OverlayStack stack, string target) => new(
        "mount", target, Errno.EROFS,
        detail: $"the kernel made the mount read-only although writing was asked for: it could not set up {stack.Work}; is the file system full or read-only?");

    /// <summary>States a word, with its value if it has one.</summary>
    internal static void Configure(SafeFileHandle context, KeyValuePair<string, string> word)
    {
        if (word.Value.Length == 0) Libc.FsConfigFlag(context, word.Key);
        else Libc.FsConfigString(context, word.Key, word.Value);
    }

    /// <summary>Before the layers of a stack are named.</summary>
    protected virtual void Begin()
    {
        // Names have nothing to get ready.
    }

    /// <summary>Names a layer; returns what has to stay open until the mount is made, if anything.</summary>
    protected abstract SafeFileHandle? AddLayer(SafeFileHandle context, string key, string path, IdShift? shift);

    protected virtual SafeFileHandle? AddLower(SafeFileHandle context, string path, IdShift? shift) => AddLayer(context, Lower, path, shift);

    private SafeFileHandle Create(OverlayStack stack)
    {
        var held = new List<SafeFileHandle>();
        try
        {
            using var context = Libc.FsOpen("overlay");
            Libc.FsConfigString(context, "source", "overlay");
            Begin();
            foreach (var lower in stack.Lowers)
            {
                if (AddLower(context, lower, stack.ShiftOf(lower)) is { } opened) held.Add(opened);
            }

            Configure(context, stack);
            Libc.FsConfigCreate(context);
            var isReadOnly = stack.Upper is null || stack.Words.ReadOnly;
            return Libc.FsMount(context, stack.Words.Attributes | (isReadOnly ? MountAttributes.ReadOnly : MountAttributes.None));
        }
        finally
        {
            foreach (var opened in held) opened.Dispose();
        }
    }

    private void Configure(SafeFileHandle context, OverlayStack stack)
    {
        if (stack.Upper is not null)
        {
            // Never shifted: who mounts has no id in the map, so the kernel could not set up the work directory, and would mount read-only, with success.
            AddLayer(context, "upperdir", stack.Upper, null);
            AddLayer(context, "workdir", stack.Work!, null);
            if (stack.Words.Volatile) Libc.FsConfigFlag(context, "volatile");
        }

        foreach (var word in stack.ExplicitWords(words)) Configure(context, word);
        if (stack.Words.Context is { } label) Libc.FsConfigString(context, "context", label);
    }
}

/// <summary>Layers by descriptor: any path, and nothing to escape.</summary>
internal sealed class DescriptorMounter(StoreTree tree, IReadOnlyList<KeyValuePair<string, string>> words) : ContextMounter(words)
{
    protected override void Begin() => tree.Look();

    protected override SafeFileHandle? AddLayer(SafeFileHandle context, string key, string path, IdShift? shift)
    {
        var directory = tree.Open(path, shift);
        try
        {
            Libc.FsConfigFd(context, key, directory);
        }
        catch
        {
            directory.Dispose();
            throw;
        }

        // A clone's mount ends with its descriptor, and an overlay cannot be made of what has ended.
        if (shift is not null) return directory;
        directory.Dispose();
        return null;
    }

    protected override SafeFileHandle? AddLower(SafeFileHandle context, string path, IdShift? shift)
    {
        if (shift is not null) return AddLayer(context, Lower, path, shift);
        using var layer = tree.Take(path);
        Libc.FsConfigFd(context, Lower, layer.Directory);
        return null;
    }
}

/// <summary>Layers by name. The kernel takes 255 bytes, so the names are relative to the driver's home.</summary>
internal sealed class NameMounter(Func<string, string> shorten, IReadOnlyList<KeyValuePair<string, string>> words) : ContextMounter(words)
{
    protected override SafeFileHandle? AddLayer(SafeFileHandle context, string key, string path, IdShift? shift)
    {
        Libc.FsConfigString(context, key, shorten(path));
        return null;
    }
}
