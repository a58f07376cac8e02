using System.Runtime.InteropServices;

namespace StorageActors.Linux;

internal static partial class Libc
{
    private const uint NormalPolicy = 0;    // SCHED_OTHER

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
        SchedulingAttributes attributes;
        if (SchedGetAttr(SchedGetAttrNumber, 0, &attributes, (uint)sizeof(SchedulingAttributes), 0) != 0 || attributes.Policy != NormalPolicy) return false;
        attributes.Runtime = (ulong)slice.Ticks * 100;
        return SchedSetAttr(SchedSetAttrNumber, 0, &attributes, 0) == 0;
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
