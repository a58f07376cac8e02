using System.Runtime.InteropServices;

namespace StorageActors.Linux;

internal static partial class Libc
{
    private const int ThreadsOnly = 1;        // IOPRIO_WHO_PROCESS, which is a thread; PRIO_PROCESS is 0
    private const int IdleClass = 3 << 13;    // IOPRIO_CLASS_IDLE

    private static nint SetIoPriorityNumber => IsArm64 ? 30 : 251;

    [LibraryImport(Library, EntryPoint = "setpriority", SetLastError = true)]
    private static partial int SetPriority(int which, uint who, int priority);

    [LibraryImport(Library, EntryPoint = "syscall", SetLastError = true)]
    private static partial nint SetIoPriority(nint number, int which, int who, int priority);

    /// <summary>
    /// Gives the calling thread, and no other, the processor and the disk only when nobody else wants them. For a thread that does nothing else: what
    /// was lowered cannot be raised again without privilege. Best effort.
    /// </summary>
    internal static void LowerThreadPriority()
    {
        SetPriority(0, 0, 19);
        SetIoPriority(SetIoPriorityNumber, ThreadsOnly, 0, IdleClass);
    }
}
