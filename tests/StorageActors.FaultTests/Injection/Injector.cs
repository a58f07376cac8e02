using Microsoft.Win32.SafeHandles;
using StorageActors.FaultTests.Seccomp;
using StorageActors.Linux;

namespace StorageActors.FaultTests.Injection;

/// <summary>
/// Stands between a process and the kernel: each file system call of the process waits here for an answer. Armed with a fault, the n-th
/// call on the store meets it. The process needs no seam for that, and its libraries (SQLite above all) are not spared.
/// </summary>
internal sealed class Injector : IDisposable
{
    private const int MaximumLooks = 100;
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(15);

    private readonly Lock _lock = new();
    private readonly SafeFileHandle _process;
    private readonly SafeFileHandle _listener;
    private readonly Scope _scope;
    private readonly ShortTransfer _transfer;
    private readonly Thread _thread;
    private List<string>? _calls;
    private Fault? _fault;
    private int _nth;
    private string? _met;

    /// <param name="process">The process that installed the filter.</param>
    /// <param name="listener">The filter's listener, as a descriptor of that process.</param>
    /// <param name="root">Where the store lies: a directory on a file system that nobody else uses.</param>
    internal Injector(int process, int listener, string root)
    {
        _process = Native.OpenProcess(process);
        _listener = Native.TryTakeDescriptor(_process, listener) ?? throw new InvalidOperationException("the listener is not there");
        (_scope, _transfer) = (new Scope(process, root), new ShortTransfer(process, _process));
        _thread = new Thread(Serve) { IsBackground = true, Name = "fault injector" };
        _thread.Start();
    }

    /// <summary>From now on calls are counted, and the n-th (from 1) that the fault fits meets it. Without a fault they are only counted.</summary>
    internal void Arm(Fault? fault, int nth)
    {
        lock (_lock) (_calls, _fault, _nth, _met) = ([], fault, nth, null);
    }

    /// <summary>Waits until no call has come for a moment: what goes on behind an answer is part of what is tried.</summary>
    internal async Task SettleAsync()
    {
        for (var (before, looks) = (-1, 0); before != Count() && looks < MaximumLooks; looks++)
        {
            before = Count();
            await Task.Delay(Moment);
        }
    }

    /// <summary>Calls pass again.</summary>
    /// <returns>The calls that were counted, by name, and the one that met the fault.</returns>
    internal (IReadOnlyList<string> Calls, string? Met) Disarm()
    {
        lock (_lock)
        {
            var result = (_calls ?? [], _met);
            (_calls, _fault) = (null, null);
            return result;
        }
    }

    public void Dispose()
    {
        // The process is gone by now, or it will wait for ever.
        _thread.Join();
        _listener.Dispose();
        _process.Dispose();
    }

    private int Count()
    {
        lock (_lock) return _calls?.Count ?? 0;
    }

    private void Serve()
    {
        while (Native.WaitForCall(_listener, _process))
        {
            if (!Native.TryReceive(_listener, out var notification)) continue;
            if (Decide(notification) is { } response) Native.Answer(_listener, response);
        }
    }

    private Response? Decide(in Notification notification)
    {
        lock (_lock)
        {
            if (_calls is null) return Response.Continue(notification.Id);
            var call = SystemCall.Of(notification.Number);
            if (!_scope.Contains(call, notification) || _scope.Unlocks(call, notification)) return Response.Continue(notification.Id);
            if (_fault is not null && !_fault.Fits(call, _scope.Creates(call, notification), Scope.Waits(call, notification))) return Response.Continue(notification.Id);
            _calls.Add(call.Name);
            var hits = _fault is not null && (_calls.Count == _nth || (_fault.Lasting && _calls.Count > _nth));
            if (!hits) return Response.Continue(notification.Id);
            if (_fault!.Kills)
            {
                _met = _scope.Describe(call, notification);
                Native.Kill(_process);
                return null;
            }

            if (_fault.Errno != Errno.None)
            {
                _met ??= call.Name;
                return Response.Fail(notification.Id, _fault.Errno);
            }
            if (_transfer.Make(call, notification) is not { } shorter) return Response.Continue(notification.Id);
            _met = call.Name;
            return shorter;
        }
    }
}
