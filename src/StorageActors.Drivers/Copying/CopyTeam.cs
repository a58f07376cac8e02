using System.Runtime.ExceptionServices;
using Microsoft.Win32.SafeHandles;
using StorageActors.Archive.Apply;
using StorageActors.Linux;

namespace StorageActors.Drivers.Copying;

/// <summary>
/// The threads that copy one tree. Who has nothing to do waits; who has more than one thing to do gives one away, whole directories as near to the root as there
/// are, so that no two make names in the same directory. The first failure stops all.
/// </summary>
/// <param name="target">The root of the copy.</param>
/// <param name="threads">How many there are.</param>
/// <param name="calls">Answers in the kernel's place; null for the kernel.</param>
/// <param name="stop">Stops all.</param>
internal sealed class CopyTeam(SafeFileHandle target, int threads, CopyCalls? calls, CancellationToken stop) : IDisposable
{
    private readonly object _gate = new();
    private readonly Queue<CopyJob> _jobs = new();
    private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(stop);
    private readonly ApplyWarnings _dropped = new();
    private CopyReport _report = new(0, 0, 0, 0, 0, 0, []);
    private ExceptionDispatchInfo? _failure;
    private int _waiting;
    private volatile int _wanted;

    /// <summary>Names of one file. Whoever makes or links one of several names holds this lock, so that the first is there for the others.</summary>
    internal LinkMap Links { get; } = new(target);

    internal CopyCalls? Calls => calls;

    /// <summary>Asked before each name.</summary>
    internal CancellationToken Stop => _stop.Token;

    /// <summary>Whether what is made in the tree has this process's own group, unless it is told another.</summary>
    internal bool ExactOwners { get; init; }

    /// <summary>Gives what is made its owner.</summary>
    internal OwnerWriter Owners { get; init; } = OwnerWriter.Exact;

    /// <summary>Whether somebody has nothing to do. Another may be quicker to give him something; that does no harm.</summary>
    internal bool WantsWork => _wanted > 0;

    /// <summary>For whoever comes for work next.</summary>
    internal void Give(CopyJob job)
    {
        lock (_gate)
        {
            _jobs.Enqueue(job);
            _wanted = _waiting - _jobs.Count;
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>Waits for something to do; null when all is done, or one has failed.</summary>
    internal CopyJob? Take()
    {
        lock (_gate)
        {
            _waiting++;
            while (_jobs.Count == 0 && _waiting < threads && _failure is null)
            {
                _wanted = _waiting - _jobs.Count;
                Monitor.Wait(_gate);
            }

            if (_jobs.Count == 0 || _failure is not null)
            {
                // All wait: nobody can have anything left. It stays so.
                Monitor.PulseAll(_gate);
                return null;
            }

            _waiting--;
            var job = _jobs.Dequeue();
            _wanted = _waiting - _jobs.Count;
            return job;
        }
    }

    /// <summary>Says what could not be kept.</summary>
    internal void Drop(string kind, ReadOnlySpan<byte> path)
    {
        lock (_gate) _dropped.Add(kind, PathText.Escape(path));
    }

    /// <summary>What one thread did.</summary>
    internal void Add(CopyReport done)
    {
        lock (_gate)
        {
            _report = new CopyReport(
                _report.Directories + done.Directories, _report.Files + done.Files, _report.Links + done.Links, _report.Others + done.Others,
                _report.Bytes + done.Bytes, _report.Shared + done.Shared, []);
        }
    }

    /// <summary>One thread failed. What the others say when they are stopped for it is no news.</summary>
    internal void Fail(Exception exception)
    {
        lock (_gate)
        {
            _failure ??= ExceptionDispatchInfo.Capture(exception);
            _stop.Cancel();
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>After the last thread has ended.</summary>
    internal CopyReport Finish()
    {
        _failure?.Throw();
        return _report with { Dropped = [.. _dropped.ToList(), .. Owners.TakeWarnings()] };
    }

    public void Dispose()
    {
        foreach (var job in _jobs) job.Dispose();
        _stop.Dispose();
    }
}

/// <summary>A part of a copy that any thread can do; owns its descriptors.</summary>
/// <param name="Path">Where it lies, from the root of the copy.</param>
/// <param name="Source">What is copied.</param>
/// <param name="Target">Its copy, which is there, empty.</param>
internal abstract record CopyJob(byte[] Path, SafeFileHandle Source, SafeFileHandle Target) : IDisposable
{
    public void Dispose()
    {
        Source.Dispose();
        Target.Dispose();
    }
}

/// <summary>A directory with all below it.</summary>
/// <param name="Path">Where it lies.</param>
/// <param name="Source">What is copied.</param>
/// <param name="Target">Its copy.</param>
/// <param name="Above">The file system of the source's parent; null for the root.</param>
internal sealed record CopyDirectory(byte[] Path, SafeFileHandle Source, SafeFileHandle Target, DeviceNumber? Above) : CopyJob(Path, Source, Target);

/// <summary>The content and the attributes of one large file.</summary>
/// <param name="Path">Where it lies.</param>
/// <param name="Source">What is copied.</param>
/// <param name="Target">Its copy.</param>
/// <param name="Status">The source's.</param>
/// <param name="Route">From the one's file system to the other's.</param>
internal sealed record CopyFile(byte[] Path, SafeFileHandle Source, SafeFileHandle Target, FileStatus Status, CopyRoute Route) : CopyJob(Path, Source, Target);
