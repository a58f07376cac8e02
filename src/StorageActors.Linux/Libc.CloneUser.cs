using System.Runtime.InteropServices;

namespace StorageActors.Linux;

internal static partial class Libc
{
    private const int CloneVm = 0x100;
    private const int CloneVfork = 0x4000;
    private const int CloneNewUser = 0x10000000;
    private const int WaitAll = 0x40000000;
    private const int SetMask = 2;
    private const int StackSize = 64 << 10;
    private const int SignalSetSize = 128;

    [LibraryImport(Library, EntryPoint = "clone", SetLastError = true)]
    private static unsafe partial int Clone(nint function, void* stack, int flags, void* argument);

    [LibraryImport(Library, EntryPoint = "waitpid", SetLastError = true)]
    private static unsafe partial int WaitPid(int pid, int* status, int options);

    [LibraryImport(Library, EntryPoint = "pthread_sigmask")]
    private static unsafe partial int SignalMask(int how, void* set, void* old);

    /// <summary>
    /// clone(CLONE_NEWUSER): a process that ends at once, in a user namespace without maps, whose number and namespace last until <see cref="Reap"/>.
    /// </summary>
    /// <remarks>
    /// It never runs managed code: the C library calls one of its own functions in it, and then exit, on a stack of its own, while this thread waits as for a
    /// posix_spawn. Signals are held back meanwhile, since the handlers of this process would run in it, on this memory. Its end is announced to nobody: whoever waits
    /// for children of this process does not meet it.
    /// </remarks>
    internal static unsafe Errno TryCloneUser(out int pid)
    {
        var function = NativeLibrary.GetExport(NativeLibrary.GetMainProgramHandle(), "getpid");
        var stack = (byte*)NativeMemory.AlignedAlloc(StackSize, 16);
        try
        {
            byte* all = stackalloc byte[SignalSetSize], before = stackalloc byte[SignalSetSize];
            new Span<byte>(all, SignalSetSize).Fill(0xFF);
            SignalMask(SetMask, all, before);
            pid = Clone(function, stack + StackSize, CloneVm | CloneVfork | CloneNewUser, null);
            var errno = pid < 0 ? LastErrno : Errno.None;
            SignalMask(SetMask, before, null);
            return errno;
        }
        finally
        {
            NativeMemory.AlignedFree(stack);
        }
    }

    /// <summary>Takes the end of a process of <see cref="TryCloneUser"/> to the notice that frees its number.</summary>
    internal static unsafe void Reap(int pid)
    {
        int status;
        while (WaitPid(pid, &status, WaitAll) < 0)
        {
            if (!Interrupted) throw new LinuxException("waitpid", FormattableString.Invariant($"process {pid}"), LastErrno);
        }
    }
}
