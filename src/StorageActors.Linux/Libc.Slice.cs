using System.Runtime.InteropServices;

namespace StorageActors.Linux;

internal static partial class Libc
{
    private const uint NormalPolicy = 0;    // SCHED_OTHER
    private const ulong ResetOnFork = 1;    // SCHED_FLAG_RESET_ON_FORK
    private const int First = -20;

    private static nint SchedSetAttrNumber => IsArm64 ? 274 : 314;

    private static nint SchedGetAttrNumber => IsArm64 ? 275 : 315;

    [LibraryImport(Library, EntryPoint = "syscall", SetLastError = true)]
    private static unsafe partial nint SchedSetAttr(nint number, int thread, SchedulingAttributes* attributes, uint flags);

    [LibraryImport(Library, EntryPoint = "syscall", SetLastError = true)]
    private static unsafe partial nint SchedGetAttr(nint number, int thread, SchedulingAttributes* attributes, uint size, uint flags);

    /// <summary>
    /// How long the calling thread runs at a time, by sched_setattr(2): whoever asks for less goes first when it wakes up. Needs no privilege and changes nobody's share of
    /// the processor. Before Linux 6.12, which knows no such wishes, nothing changes.
    /// </summary>
    /// <param name="slice">0.1 to 100 ms; zero for what all threads have.</param>
    /// <returns>False when the thread is none of the ordinary ones, or may not ask.</returns>
    internal static unsafe bool TrySetSlice(TimeSpan slice)
    {
        if (!TryGetAttributes(out var attributes)) return false;
        attributes.Runtime = (ulong)slice.Ticks * 100;
        return SchedSetAttr(SchedSetAttrNumber, 0, &attributes, 0) == 0;
    }

    /// <summary>
    /// Has the calling thread go before all ordinary ones (nice -20) for a few microseconds, until <see cref="GoAsUsual"/>; what it starts meanwhile does not. Needs the
    /// privilege, or a limit of nice that allows it. Its slice is the usual one from then on.
    /// </summary>
    /// <param name="usual">How nice it was.</param>
    /// <returns>False when nothing has changed.</returns>
    internal static bool TryGoFirst(out int usual)
    {
        var may = TryGetAttributes(out var attributes) && attributes.Nice > First;
        usual = attributes.Nice;
        return may && TrySetNice(First, ResetOnFork);
    }

    /// <summary>Ends what <see cref="TryGoFirst"/> began.</summary>
    /// <param name="usual">How nice it was.</param>
    internal static void GoAsUsual(int usual)
    {
        // Who may be less nice by a limit alone may not take back that others are not.
        if (!TrySetNice(usual, 0)) TrySetNice(usual, ResetOnFork);
    }

    private static unsafe bool TryGetAttributes(out SchedulingAttributes attributes)
    {
        SchedulingAttributes found = default;
        var known = SchedGetAttr(SchedGetAttrNumber, 0, &found, (uint)sizeof(SchedulingAttributes), 0) == 0 && found.Policy == NormalPolicy;
        attributes = found;
        return known;
    }

    private static unsafe bool TrySetNice(int nice, ulong flags)
    {
        var wanted = new SchedulingAttributes { Size = (uint)sizeof(SchedulingAttributes), Policy = NormalPolicy, Flags = flags, Nice = nice };
        return SchedSetAttr(SchedSetAttrNumber, 0, &wanted, 0) == 0;
    }

    /// <summary>struct sched_attr, as its first version has it.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct SchedulingAttributes
    {
        internal uint Size;
        internal uint Policy;
        internal ulong Flags;
        internal int Nice;
        internal uint Priority;
        internal ulong Runtime;
        internal ulong Deadline;
        internal ulong Period;
    }
}
