using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace StorageActors.Linux;

internal static partial class Libc
{
    private const int MountSetAttrNumber = 442;

    [LibraryImport(Library, EntryPoint = "syscall", SetLastError = true)]
    private static unsafe partial nint MountSetAttr(
        nint number, SafeFileHandle mount, byte* path, AtFlags flags, MountAttributeChange* change, nuint size);

    /// <summary>mount_setattr(2) (5.12) on a mount's descriptor.</summary>
    /// <param name="mount">From fsmount or open_tree.</param>
    /// <param name="set">With <see cref="MountAttributes.IdMap"/>, <paramref name="userNamespace"/> holds the map.</param>
    /// <param name="clear">Attributes to take away.</param>
    /// <param name="propagation">One of private, slave, shared and unbindable, or none to leave it.</param>
    /// <param name="userNamespace">A descriptor of the user namespace whose maps the mount gets.</param>
    /// <param name="recursive">All mounts below as well.</param>
    internal static unsafe void MountSetAttr(
        SafeFileHandle mount, MountAttributes set, MountAttributes clear = MountAttributes.None,
        MountFlags propagation = MountFlags.None, SafeFileHandle? userNamespace = null, bool recursive = false)
    {
        using var pin = new HandlePin(userNamespace ?? mount);
        var change = new MountAttributeChange
        {
            Set = set,
            Clear = clear,
            Propagation = propagation,
            UserNamespace = userNamespace is null ? 0 : (ulong)pin.Descriptor,
        };
        byte empty = 0;
        var flags = AtFlags.EmptyPath | (recursive ? AtFlags.Recursive : AtFlags.None);
        while (MountSetAttr(MountSetAttrNumber, mount, &empty, flags, &change, (nuint)sizeof(MountAttributeChange)) != 0)
        {
            if (!Interrupted) throw Failure("mount_setattr", mount, LastErrno, set.ToString());
        }
    }

    /// <summary>struct mount_attr.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct MountAttributeChange
    {
        internal MountAttributes Set;
        internal MountAttributes Clear;
        internal MountFlags Propagation;
        internal ulong UserNamespace;
    }
}
