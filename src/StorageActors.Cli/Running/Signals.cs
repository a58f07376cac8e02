using System.Runtime.InteropServices;

namespace StorageActors.Cli.Running;

/// <summary>
/// Turns SIGINT, SIGTERM and SIGHUP into a cancellation, so that a verb can take away what it began. A second signal ends the process at once.
/// </summary>
internal sealed class Signals : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly PosixSignalRegistration[] _registrations;
    private int _exitCode;

    internal Signals() => _registrations =
    [
        PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => On(signal, Cli.ExitCode.Interrupted)),
        PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal => On(signal, Cli.ExitCode.Terminated)),
        PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal => On(signal, Cli.ExitCode.HungUp)),
    ];

    /// <summary>Cancelled by the first signal.</summary>
    internal CancellationToken Stop => _stop.Token;

    /// <summary>What the process is to end with; 0 while no signal came.</summary>
    internal int ExitCode => Volatile.Read(ref _exitCode);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var registration in _registrations) registration.Dispose();
        _stop.Dispose();
    }

    private void On(PosixSignalContext signal, int exitCode)
    {
        // Not cancelling the second one leaves it to the system, which ends the process.
        if (Interlocked.CompareExchange(ref _exitCode, exitCode, 0) != 0) return;
        signal.Cancel = true;
        _ = _stop.CancelAsync();
    }
}
