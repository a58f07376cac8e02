using Microsoft.Win32.SafeHandles;
using StorageActors.Linux;

namespace StorageActors.Archive.Apply;

/// <summary>Copies the content of regular files the cheapest way there is: shared blocks, inside the kernel, or by hand with holes kept.</summary>
internal static class FileCopy
{
    /// <summary>Copies all of <paramref name="source"/> to the empty file <paramref name="destination"/>.</summary>
    internal static void Copy(SafeFileHandle source, SafeFileHandle destination, long size)
    {
        if (size == 0 || Libc.TryClone(destination, source) == Errno.None) return;
        long offset = 0;
        while (offset < size)
        {
            var errno = Libc.TryCopyFileRange(source, offset, destination, offset, size - offset, out var copied);
            if (errno is Errno.ENOSPC or Errno.EDQUOT or Errno.EIO) throw Libc.Failure("copy_file_range", destination, errno);
            if (errno != Errno.None || copied == 0) break;   // 0 before the end: some file systems say so; reading by hand tells
            offset += copied;
        }

        if (offset < size) CopyByHand(source, destination, offset, size);
    }

    private static void CopyByHand(SafeFileHandle source, SafeFileHandle destination, long offset, long size)
    {
        var buffer = new byte[256 << 10];
        while (offset < size)
        {
            if (Libc.TryLSeek(source, offset, SeekFrom.Data, out var data) == Errno.None) offset = data;
            var count = Libc.PRead(source, buffer, offset);
            if (count == 0) break;
            Libc.PWriteAll(destination, buffer.AsSpan(0, count), offset);
            offset += count;
        }

        Libc.FTruncate(destination, size);
    }
}
