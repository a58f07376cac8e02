using System.Collections.Concurrent;
using Microsoft.Win32.SafeHandles;

namespace StorageActors.Linux;

/// <summary>What is known to work between two file systems. Starts as a hope; known to this process alone, since another kernel may do better.</summary>
internal sealed class CopyRoute
{
    private static readonly ConcurrentDictionary<(DeviceNumber From, DeviceNumber To, bool SameMount), CopyRoute> Known = new();

    private volatile bool _mayShare = true;
    private volatile bool _mayCopyInKernel = true;

    /// <summary>Files may share blocks.</summary>
    internal bool MayShare
    {
        get => _mayShare;
        set => _mayShare = value;
    }

    /// <summary>The kernel may copy ranges.</summary>
    internal bool MayCopyInKernel
    {
        get => _mayCopyInKernel;
        set => _mayCopyInKernel = value;
    }

    /// <summary>The route between the file systems of two files. Older kernels do not share blocks across two mounts of the same one.</summary>
    internal static CopyRoute Between(in FileStatus from, in FileStatus to) =>
        Known.GetOrAdd((from.FileSystem, to.FileSystem, from.MountId == to.MountId), static _ => new CopyRoute());
}

/// <summary>The two calls that file systems answer so differently; a test answers in the kernel's place.</summary>
internal class CopyCalls
{
    /// <summary>The kernel's answers.</summary>
    internal static readonly CopyCalls Kernel = new();

    /// <summary>FICLONE.</summary>
    internal virtual Errno Clone(SafeFileHandle target, SafeFileHandle source) => Libc.TryClone(target, source);

    /// <summary>copy_file_range(2).</summary>
    internal virtual Errno CopyRange(
        SafeFileHandle source, long sourceOffset, SafeFileHandle target, long targetOffset, long length, out long copied) =>
        Libc.TryCopyFileRange(source, sourceOffset, target, targetOffset, length, out copied);
}
