using StorageActors.FaultTests.Seccomp;
using StorageActors.Linux;

namespace StorageActors.FaultTests.Injection;

/// <summary>What happens to calls: a failure with an errno, or a transfer of fewer bytes than asked for.</summary>
/// <param name="Errno">The failure; None for a short transfer.</param>
/// <param name="Lasting">Whether all calls that it fits fail from then on, as on a disk that is full, and not just one.</param>
internal sealed record Fault(Errno Errno, bool Lasting = false)
{
    /// <summary>From then on nothing can be made durable, and nothing be renamed: neither what is wanted nor what would undo it.</summary>
    internal static Fault Stuck { get; } = new(Errno.EIO, Lasting: true) { Calls = ["fsync", "renameat2"] };

    /// <summary>Half of the bytes.</summary>
    internal static Fault Short { get; } = new(Errno.None);

    /// <summary>The process dies before the call, of those that change names or mounts.</summary>
    internal static Fault Death { get; } = new(Errno.None) { Kills = true };

    /// <summary>Whether it ends the process.</summary>
    internal bool Kills { get; private init; }

    /// <summary>The only calls that it happens to; null for all that it can happen to.</summary>
    private IReadOnlyList<string>? Calls { get; init; }

    /// <summary>Whether nobody but us may notice: what a signal ends is begun again, and what is short is gone on with.</summary>
    internal bool IsInvisible => Errno is Errno.None or Errno.EINTR;

    /// <summary>Everything that is tried at every call.</summary>
    internal static IReadOnlyList<Fault> All { get; } =
    [
        new(Errno.ENOSPC), new(Errno.EIO), new(Errno.EDQUOT), new(Errno.EMFILE), new(Errno.EBUSY), new(Errno.EPERM), new(Errno.EINTR), Short,
        new(Errno.ENOSPC, Lasting: true),
    ];

    /// <summary>Whether such a thing can happen to the call at all; others are not counted.</summary>
    /// <param name="call">The call.</param>
    /// <param name="creates">Whether it may make a file.</param>
    /// <param name="waits">Whether it may wait for somebody else.</param>
    internal bool Fits(SystemCall call, bool creates, bool waits) => this switch
    {
        { Calls: { } calls } => calls.Contains(call.Name, StringComparer.Ordinal),
        { Kills: true } => creates || call.Traits.HasFlag(Traits.ChangesNames),
        { Errno: Errno.None } => call.Traits.HasFlag(Traits.Transfers),
        { Errno: Errno.EINTR } => call.Traits.HasFlag(Traits.MayBeInterrupted) && waits,
        { Errno: Errno.EMFILE } => call.Traits.HasFlag(Traits.Opens),
        { Lasting: true } => call.Traits.HasFlag(Traits.TakesSpace) || creates,
        _ => true,
    };

    public override string ToString() => Kills ? "death" : this == Short ? "short" : Lasting ? $"{Errno} from then on" : Errno.ToString();
}
