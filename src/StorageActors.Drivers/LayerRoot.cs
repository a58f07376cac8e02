using Microsoft.Win32.SafeHandles;
using StorageActors.Archive.Apply;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Drivers;

/// <summary>
/// The directory that a layer's content is in, as it is before anything is in it. A mount shows the attributes of the topmost one as those of its root, so from
/// the staging on it has the mode and the owner of the layer below, or what the settings say, never those of a private temporary directory.
/// </summary>
internal static class LayerRoot
{
    private const uint Filling = 0x1C0; // 0700

    private static ReadOnlySpan<byte> Name => "diff"u8;

    /// <summary>What is said of it to people.</summary>
    internal static StoreFact Fact(DriverOptions options) => new(
        "driver", "roots of layers",
        $"mode {Convert.ToString(options.RootMode, 8).PadLeft(4, '0')} without a parent, else as it has{(options.Label is { } label ? $"; label {label.Text}" : "")}");

    /// <summary>Makes it, or takes what a failed attempt made.</summary>
    /// <param name="layer">The layer's directory.</param>
    /// <param name="staged">The layer.</param>
    /// <param name="options">Settings.</param>
    internal static SafeFileHandle Make(SafeFileHandle layer, StagedLayer staged, DriverOptions options)
    {
        var errno = Libc.TryMkdirAt(layer, Name, Filling);
        if (errno is not (Errno.None or Errno.EEXIST)) throw Libc.Failure("mkdirat", layer, Name, errno);
        var root = Libc.OpenDirectoryAt(layer, Name);
        try
        {
            var below = staged.Parents is [var parent, ..] ? Below(parent) : null;
            var (user, group) = below is { } one ? (one.UserId, one.GroupId) : (0u, 0u);
            // Without root nobody can be given a file; what fills the layer says what it means if that is asked for.
            if (Libc.GetEuid() == 0) options.NewOwners(staged.Ids).Set(root, user, group);
            var mode = below?.Permissions ?? options.RootMode;
            Libc.FChmod(root, staged.Writable ? mode : ToFill(mode)); // Whatever the umask is.
            Label(root, options.Label);
            return root;
        }
        catch
        {
            root.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Until all is in it: a set-group-id bit would hand group and bit on to what is made in it, and who is not root must be able to. The rebase sets it as it is to be.
    /// </summary>
    private static uint ToFill(uint mode) => (Libc.GetEuid() == 0 ? mode : mode | Filling) & ~ModeBits.SetGroupId;

    /// <summary>Labels the root of a layer, if the settings say so. A store that is to have labels takes no layer without one.</summary>
    internal static void Label(SafeFileHandle root, SelinuxLabel? label)
    {
        if (label is null) return;
        var errno = Libc.TryFSetXattr(root, SelinuxLabel.Attribute, label.ToBytes());
        if (errno is Errno.EOPNOTSUPP or Errno.EPERM or Errno.EACCES or Errno.EINVAL)
        {
            throw DriverErrors.Refuse(
                StorageErrorCode.Unsupported, "label",
                $"The layer cannot have the label {label.Text} ({errno}). {Advice(errno)}", Libc.PathOf(root));
        }

        if (errno != Errno.None) throw Libc.Failure("fsetxattr", root, errno, "security.selinux");
    }

    private static string Advice(Errno errno) => errno switch
    {
        Errno.EINVAL => "The machine's policy does not know it; correct the setting selinux-label.",
        Errno.EOPNOTSUPP => "The store's file system keeps no labels; use another one, or leave selinux-label out.",
        _ => "This process may not label files; run the store as root, or leave selinux-label out.",
    };

    /// <summary>The root of the layer below, with the ids of its container; a layer that goes while it is looked at is said to have gone.</summary>
    private static FileStatus? Below(LayerLocation parent)
    {
        var path = parent.Path + "/diff";
        var errno = Libc.TryStat(path, out var status);
        if (errno is Errno.ENOENT or Errno.ENOTDIR) throw DriverErrors.ParentGone(parent, path, errno);
        return errno == Errno.None ? parent.Ids.Show(status) : throw new LinuxException("stat", path, errno);
    }
}
