using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using StorageActors.Linux;

namespace StorageActors.Archive.Apply;

/// <summary>
/// Fills new files and gives them their attributes beside the thread that makes them: half of what a small file costs needs nothing but its descriptor. The
/// content stays where it is, in the archive's block, so whoever takes that block away settles first.
/// </summary>
/// <remarks>
/// A second thread takes files off a short queue; when that is full, or when all must be done, the first one does them itself. So neither waits for the other
/// for longer than a file takes, and no more descriptors are open than the queue is long. The second thread starts with the first files that wait.
/// </remarks>
internal sealed class FileFinisher(InodeWriter inodes) : IDisposable
{
    private const int Capacity = 64;

    /// <summary>Waking a thread costs as much as a file: it is done for several.</summary>
    private const int WorthWaking = 8;

    private readonly object _gate = new();
    private readonly Job[] _jobs = new Job[Capacity];
    private int _first;
    private int _count;
    private Thread? _helper;
    private bool _helperIsCalled;
    private bool _helperWorks;
    private bool _ended;
    private ExceptionDispatchInfo? _failure;

    /// <summary>Takes a new, empty file over, to be closed when it has its content and attributes.</summary>
    /// <param name="file">The file; belongs to this object from now on.</param>
    /// <param name="content">Its content, which must stay until <see cref="Settle"/>.</param>
    /// <param name="attributes">Its attributes; it has no others.</param>
    /// <exception cref="LinuxException">This file or one before it could not be finished.</exception>
    internal void Add(SafeFileHandle file, ReadOnlyMemory<byte> content, in EntryAttributes attributes)
    {
        Job own;
        lock (_gate)
        {
            if (_failure is not null)
            {
                file.Dispose();
                _failure.Throw();
            }

            own = _count == Capacity ? Take() : default;
            _jobs[(_first + _count++) % Capacity] = new Job(file, content, attributes);
            if (_count >= WorthWaking && !_helperIsCalled) Call();
        }

        if (own.File is not null) Finish(own);
    }

    /// <summary>Returns when nothing is left to be done.</summary>
    /// <exception cref="LinuxException">A file could not be finished.</exception>
    internal void Settle()
    {
        while (TakeOwn() is { File: not null } own) Finish(own);
    }

    /// <summary>Waits for the second thread, and closes what was not finished.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _ended = true;
            while (_count > 0) Take().File.Dispose();
            Monitor.PulseAll(_gate);
        }

        _helper?.Join();
    }

    /// <summary>A file for the first thread; none when all is done.</summary>
    private Job TakeOwn()
    {
        lock (_gate)
        {
            while (_failure is null && _count == 0 && _helperWorks) Monitor.Wait(_gate);
            _failure?.Throw();
            return _count == 0 ? default : Take();
        }
    }

    private void Call()
    {
        _helperIsCalled = true;
        if (_helper is not null)
        {
            Monitor.PulseAll(_gate);
            return;
        }

        _helper = new Thread(Help) { IsBackground = true, Name = "storage-actors-finish" };
        _helper.Start();
    }

    private void Help()
    {
        try
        {
            while (TakeForHelper() is { File: not null } job) Finish(job);
        }
        catch (Exception e)
        {
            lock (_gate)
            {
                (_failure, _helperWorks) = (ExceptionDispatchInfo.Capture(e), false);
                Monitor.PulseAll(_gate);
            }
        }
    }

    /// <summary>A file for the second thread; none at the end.</summary>
    private Job TakeForHelper()
    {
        lock (_gate)
        {
            while (_count == 0 && !_ended)
            {
                if (_helperWorks) Monitor.PulseAll(_gate);
                _helperIsCalled = _helperWorks = false;
                Monitor.Wait(_gate);
            }

            _helperIsCalled = _helperWorks = !_ended;
            return _ended ? default : Take();
        }
    }

    private Job Take()
    {
        ref var slot = ref _jobs[_first];
        var job = slot;
        slot = default;
        (_first, _count) = ((_first + 1) % Capacity, _count - 1);
        return job;
    }

    private void Finish(in Job job)
    {
        using (job.File)
        {
            Libc.WriteAll(job.File, job.Content.Span);
            inodes.CompleteFile(job.File, job.Attributes);
        }
    }

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Job(SafeFileHandle File, ReadOnlyMemory<byte> Content, EntryAttributes Attributes);
}
