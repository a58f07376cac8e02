using StorageActors.FaultTests.Seccomp;
using StorageActors.Linux;

namespace StorageActors.FaultTests.Injection;

/// <summary>What happens to calls: a failure with an errno, or a transfer of fewer bytes than asked for.</summary>
/// <param name="Errno">The failure; None for a short transfer.</param>
/// <param name="Lasting">Whether all calls that it fits fail from then on, as on a disk that is full, and not just one.</param>
internal sealed record Fault(Errno Errno, bool Lasting = false)
{
    /// <summary>Half of the bytes.</summary>
    internal static Fault Short { get; } = new(Errno.None);

    /// <summary>Everything that is tried at every call.</summary>
    internal static IReadOnlyList<Fault> All { get; } =
    [
        new(Errno.ENOSPC), new(Errno.EIO), new(Errno.EDQUOT), new(Errno.EMFILE), new(Errno.EBUSY), new(Errno.EPERM), new(Errno.EINTR), Short,
        new(Errno.ENOSPC, Lasting: true),
    ];

    /// <summary>Whether such a thing can happen to the call at all; others are not counted.</summary>
    internal bool Fits(SystemCall call, bool creates) => this switch
    {
        { Errno: Errno.None } => call.Traits.HasFlag(Traits.Transfers),
        { Errno: Errno.EMFILE } => call.Traits.HasFlag(Traits.Opens),
        { Lasting: true } => call.Traits.HasFlag(Traits.TakesSpace) || creates,
        _ => true,
    };

    public override string ToString() => this == Short ? "short" : Lasting ? $"{Errno} from then on" : Errno.ToString();
}
