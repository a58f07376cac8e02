using System.Runtime.ExceptionServices;
using Microsoft.Win32.SafeHandles;
using StorageActors.Linux;

namespace StorageActors.Drivers.Copying;

/// <summary>
/// Copies a whole tree: content by shared blocks where the file system has them, holes, hard links, owners, modes, extended attributes, times to the nanosecond,
/// links, devices, fifos and sockets. Names are bytes, depth has no limit.
/// </summary>
/// <remarks>
/// One thread a tree: what limits a copy are the locks of directories, inodes and allocation groups, not the disk, and a second thread gains nothing worth its
/// processor. The thread is nobody else's, so its umask is its own and modes come out as they are asked for, without a chmod for each file.
/// </remarks>
internal static class TreeCopy
{
    /// <summary>
    /// Makes <paramref name="target"/>, an empty directory, all that <paramref name="source"/> is, the directory's own attributes included. The source
    /// must not change meanwhile. On failure the target holds anything between nothing and all of it, for the caller to remove.
    /// </summary>
    /// <exception cref="LinuxException">A call failed; EBUSY when something is mounted inside the source.</exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    internal static CopyReport Copy(SafeFileHandle source, SafeFileHandle target, CancellationToken stop = default, CopyCalls? calls = null)
    {
        CopyReport? report = null;
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                var ownUmask = Libc.TryUnshareFs() == Errno.None;
                if (ownUmask) Libc.Umask(0);
                using var copier = new TreeCopier(source, target, ownUmask, calls, stop);
                report = copier.Run();
            }
            catch (Exception e)
            {
                failure = ExceptionDispatchInfo.Capture(e);
            }
        })
        { IsBackground = true, Name = "storage-actors-copy" };
        thread.Start();
        thread.Join();
        failure?.Throw();
        return report!;
    }
}

/// <summary>What a copy did.</summary>
/// <param name="Directories">Directories, the root among them.</param>
/// <param name="Files">Regular files that were made, hard links to them not counted.</param>
/// <param name="Links">Further names of what was made already.</param>
/// <param name="Others">Symbolic links, devices, fifos and sockets.</param>
/// <param name="Bytes">The files' lengths together.</param>
/// <param name="Shared">Files whose blocks both trees have now.</param>
/// <param name="Dropped">What could not be kept, a line for each kind: attributes that the file system refuses, devices that the process may not make.</param>
internal sealed record CopyReport(
    long Directories, long Files, long Links, long Others, long Bytes, long Shared, IReadOnlyList<string> Dropped);
