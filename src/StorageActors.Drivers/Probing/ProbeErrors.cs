using StorageActors.Linux;

namespace StorageActors.Drivers.Probing;

/// <summary>What the failure of a probe means.</summary>
internal static class ProbeErrors
{
    /// <summary>
    /// Whether it says nothing of what the kernel can, but that the process or the machine was short of something, or the disk failed: then the probe has no answer, and
    /// whoever wanted it gets the failure.
    /// </summary>
    internal static bool IsPassing(Errno errno) => errno
        is Errno.EMFILE or Errno.ENFILE or Errno.ENOMEM or Errno.EAGAIN or Errno.EINTR or Errno.EBUSY or Errno.ESTALE or Errno.ENOSPC or Errno.EDQUOT or Errno.EIO;
}
