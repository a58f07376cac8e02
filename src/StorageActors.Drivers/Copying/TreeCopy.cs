using Microsoft.Win32.SafeHandles;
using StorageActors.Archive.Apply;
using StorageActors.Linux;

namespace StorageActors.Drivers.Copying;

/// <summary>
/// Copies a whole tree: content by shared blocks where the file system has them, holes, hard links, owners, modes, extended attributes, times to the nanosecond,
/// links, devices, fifos and sockets. Names are bytes, depth has no limit.
/// </summary>
/// <remarks>
/// What limits a copy are system calls and the locks of directories and inodes, not the disk: two threads take a bit more than half of the time when each has directories
/// of its own (see docs/benchmarks.md), and more than four would meet at the same locks. The threads are nobody else's, so their umask is their own
/// and modes come out as they are asked for, without a chmod for each file.
/// </remarks>
internal static class TreeCopy
{
    private const int MaximumThreads = 4;

    /// <summary>
    /// Makes <paramref name="target"/>, an empty directory, all that <paramref name="source"/> is, the directory's own attributes included. The source
    /// must not change meanwhile. On failure the target holds anything between nothing and all of it, for the caller to remove.
    /// </summary>
    /// <exception cref="LinuxException">A call failed; EBUSY when something is mounted inside the source.</exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    internal static CopyReport Copy(
        SafeFileHandle source, SafeFileHandle target, CancellationToken stop = default, int? threads = null, CopyCalls? calls = null, OwnerWriter? owners = null)
    {
        var count = threads ?? Math.Clamp(Environment.ProcessorCount, 1, MaximumThreads);
        InodeCopier.MakePlain(target);
        using var team = new CopyTeam(target, count, calls, stop) { ExactOwners = Libc.FStat(target).GroupId == Libc.GetEgid(), Owners = owners ?? OwnerWriter.Exact };
        const OpenFlags flags = OpenFlags.Directory | OpenFlags.NoFollow;
        team.Give(new CopyDirectory([], TreeCopier.OpenSource(source, "."u8), Libc.OpenAt(target, "."u8, flags), Above: null));
        var workers = new Thread[count];
        for (var i = 0; i < count; i++)
        {
            workers[i] = new Thread(() => Work(team)) { IsBackground = true, Name = "storage-actors-copy" };
            workers[i].Start();
        }

        foreach (var worker in workers) worker.Join();
        return team.Finish();
    }

    private static void Work(CopyTeam team)
    {
        try
        {
            var ownUmask = Libc.TryUnshareFs() == Errno.None;
            if (ownUmask) Libc.Umask(0);
            using var copier = new TreeCopier(team, ownUmask);
            copier.Run();
        }
        catch (Exception e)
        {
            team.Fail(e);
        }
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
