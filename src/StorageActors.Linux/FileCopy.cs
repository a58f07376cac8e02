using Microsoft.Win32.SafeHandles;

namespace StorageActors.Linux;

/// <summary>How a file's content came to its copy, the cheapest way first.</summary>
internal enum CopyMethod
{
    /// <summary>There was none.</summary>
    Nothing,

    /// <summary>Both files have the same blocks until one of them is written to.</summary>
    Shared,

    /// <summary>Copied inside the kernel.</summary>
    InKernel,

    /// <summary>Read and written, in part at least.</summary>
    ByHand,
}

/// <summary>
/// Copies the content of regular files in the cheapest way there is: shared blocks, inside the kernel, or by hand. Holes stay holes. For one thread.
/// </summary>
/// <remarks>
/// A way that two file systems do not have between them is not tried again for any file of theirs (<see cref="CopyRoute"/>); a way that a single file refuses (an immutable one, one
/// without copy-on-write beside one with) is left for that file alone. What says that the disk is full or broken is never taken for either.
/// </remarks>
internal sealed class FileCopy(CopyCalls? calls = null)
{
    /// <summary>So much goes into one call, so that a copy can be cancelled.</summary>
    private const long Piece = 256 << 20;

    private const int BufferSize = 1 << 20;
    private const int BlockSize = 512;

    private readonly CopyCalls _calls = calls ?? CopyCalls.Kernel;
    private byte[]? _buffer;

    /// <summary>Copies all of <paramref name="source"/> into the empty file <paramref name="target"/>.</summary>
    internal static CopyMethod Copy(SafeFileHandle source, SafeFileHandle target)
    {
        var from = Libc.FStat(source);
        return new FileCopy().Copy(source, from, target, CopyRoute.Between(from, Libc.FStat(target)), CancellationToken.None);
    }

    /// <summary>As the other one, for callers that know more. A source that shrinks meanwhile gives a copy that ends where the source did.</summary>
    /// <param name="source">Open for reading.</param>
    /// <param name="from">Its status.</param>
    /// <param name="target">Empty, open for writing.</param>
    /// <param name="route">From the one's file system to the other's.</param>
    /// <param name="stop">Asked between pieces of large files.</param>
    internal CopyMethod Copy(SafeFileHandle source, in FileStatus from, SafeFileHandle target, CopyRoute route, CancellationToken stop)
    {
        if (from.Size == 0) return CopyMethod.Nothing;
        if (route.MayShare && TryShare(source, target, route)) return CopyMethod.Shared;
        var work = new Work(source, target, route, stop);
        if (from.Blocks * BlockSize < from.Size) CopyData(ref work, from.Size);
        else CopyRange(ref work, 0, from.Size);
        return work.Method;
    }

    private bool TryShare(SafeFileHandle source, SafeFileHandle target, CopyRoute route)
    {
        var errno = _calls.Clone(target, source);
        switch (errno)
        {
            case Errno.None:
                return true;
            case Errno.EOPNOTSUPP or Errno.ENOTTY or Errno.ENOSYS or Errno.EXDEV:
                route.MayShare = false;
                return false;
            case Errno.EINVAL or Errno.EPERM or Errno.EACCES or Errno.EBADF or Errno.ETXTBSY:
                return false;
            default:
                throw Libc.Failure("ioctl", target, errno, "FICLONE");
        }
    }

    /// <summary>Copies what is data, and leaves the rest a hole.</summary>
    private void CopyData(ref Work work, long size)
    {
        for (long offset = 0; offset < size;)
        {
            var errno = Libc.TryLSeek(work.Source, offset, SeekFrom.Data, out var data);
            if (errno == Errno.ENXIO) break;   // nothing but a hole is left
            var end = size;
            if (errno != Errno.None) data = offset;   // it cannot tell: all of it is data then
            else if (Libc.TryLSeek(work.Source, data, SeekFrom.Hole, out var hole) == Errno.None) end = Math.Min(hole, size);
            offset = CopyRange(ref work, data, end);
            if (offset < end) break;   // it has become shorter
        }

        Libc.FTruncate(work.Target, Math.Min(size, Libc.FStat(work.Source).Size));   // a hole at the end
    }

    /// <summary>Copies a range, and returns where it ended: before <paramref name="end"/> when the source does.</summary>
    private long CopyRange(ref Work work, long offset, long end)
    {
        while (work.MayCopyInKernel && offset < end)
        {
            work.Stop.ThrowIfCancellationRequested();
            var errno = _calls.CopyRange(work.Source, offset, work.Target, offset, Math.Min(Piece, end - offset), out var copied);
            switch (errno)
            {
                case Errno.None when copied > 0:
                    offset += copied;
                    work.Method = (CopyMethod)Math.Max((int)work.Method, (int)CopyMethod.InKernel);
                    continue;
                case Errno.None:
                    // The end, or a file system that says so of files that it makes up as they are read: reading tells.
                    return CopyByHand(ref work, offset, end);
                case Errno.EXDEV or Errno.ENOSYS or Errno.EOPNOTSUPP:
                    work.Route.MayCopyInKernel = work.MayCopyInKernel = false;
                    break;
                case Errno.EINVAL or Errno.EPERM or Errno.EACCES or Errno.EBADF or Errno.ETXTBSY:
                    work.MayCopyInKernel = false;
                    break;
                default:
                    throw Libc.Failure("copy_file_range", work.Target, errno);
            }
        }

        return CopyByHand(ref work, offset, end);
    }

    private long CopyByHand(ref Work work, long offset, long end)
    {
        if (offset == end) return end;
        _buffer ??= GC.AllocateUninitializedArray<byte>(BufferSize);
        work.Method = CopyMethod.ByHand;
        while (offset < end)
        {
            work.Stop.ThrowIfCancellationRequested();
            var count = Libc.PRead(work.Source, _buffer.AsSpan(0, (int)Math.Min(BufferSize, end - offset)), offset);
            if (count == 0) break;
            Libc.PWriteAll(work.Target, _buffer.AsSpan(0, count), offset);
            offset += count;
        }

        return offset;
    }

    private ref struct Work(SafeFileHandle source, SafeFileHandle target, CopyRoute route, CancellationToken stop)
    {
        internal readonly SafeFileHandle Source = source;
        internal readonly SafeFileHandle Target = target;
        internal readonly CopyRoute Route = route;
        internal readonly CancellationToken Stop = stop;
        internal bool MayCopyInKernel = route.MayCopyInKernel;
        internal CopyMethod Method = CopyMethod.Nothing;
    }
}
