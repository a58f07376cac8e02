using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using StorageActors.Linux;

namespace StorageActors.FaultTests.Seccomp;

/// <summary>seccomp's user notification, and what the one who answers needs to look into the process that asks.</summary>
internal static unsafe partial class Native
{
    private const int SeccompNumber = 317;
    private const int PidFdSendSignalNumber = 424;
    private const int PidFdOpenNumber = 434;
    private const int PidFdGetFdNumber = 438;
    private const int SigKill = 9;
    private const uint SetModeFilter = 1;
    private const uint GetNotificationSizes = 3;
    private const nuint Receive = 0xC0502100;     // SECCOMP_IOCTL_NOTIF_RECV
    private const nuint Send = 0xC0182101;        // SECCOMP_IOCTL_NOTIF_SEND
    private const short PollIn = 1;

    // For all threads (TSYNC), with a listener; a call that was handed over is not disturbed by signals (WAIT_KILLABLE_RECV).
    private const uint FilterFlags = 1 | 8 | 16 | 32;

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint Call(nint number, nint first, nint second, nint third, nint fourth = 0);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int IoCtl(SafeFileHandle file, nuint request, void* argument);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    private static partial int Poll(PollEntry* entries, nuint count, int timeout);

    [LibraryImport("libc", EntryPoint = "process_vm_readv", SetLastError = true)]
    private static partial nint ReadMemory(int process, Vector* local, nuint locals, Vector* remote, nuint remotes, nuint flags);

    [LibraryImport("libc", EntryPoint = "process_vm_writev", SetLastError = true)]
    private static partial nint WriteMemory(int process, Vector* local, nuint locals, Vector* remote, nuint remotes, nuint flags);

    /// <summary>Whether this kernel can do all that is needed, and the filter's table is the one of this machine.</summary>
    internal static bool IsAvailable()
    {
        ushort* sizes = stackalloc ushort[3];
        return RuntimeInformation.ProcessArchitecture == Architecture.X64 && Libc.GetEuid() == 0
            && Call(SeccompNumber, (nint)GetNotificationSizes, 0, (nint)sizes) == 0 && sizes[0] == sizeof(Notification) && sizes[1] == sizeof(Response);
    }

    /// <summary>Puts all threads of this process under the filter, for good. The listener's descriptor: somebody else must serve it at once.</summary>
    internal static int Install(ReadOnlySpan<FilterInstruction> filter)
    {
        fixed (FilterInstruction* start = filter)
        {
            var program = new FilterProgram { Length = (ushort)filter.Length, Start = start };
            var listener = (int)Call(SeccompNumber, (nint)SetModeFilter, (nint)FilterFlags, (nint)(&program));
            return listener >= 0 ? listener : throw new LinuxException("seccomp", "", (Errno)Marshal.GetLastPInvokeError());
        }
    }

    internal static SafeFileHandle OpenProcess(int process) => Descriptor("pidfd_open", Call(PidFdOpenNumber, process, 0, 0));

    /// <summary>SIGKILL: none of its threads does anything more.</summary>
    internal static void Kill(SafeFileHandle process) => _ = Call(PidFdSendSignalNumber, process.DangerousGetHandle(), SigKill, 0);

    /// <summary>The same open file that the other process has under this descriptor.</summary>
    internal static SafeFileHandle? TryTakeDescriptor(SafeFileHandle process, int descriptor)
    {
        var taken = Call(PidFdGetFdNumber, process.DangerousGetHandle(), descriptor, 0);
        return taken < 0 ? null : new SafeFileHandle(taken, ownsHandle: true);
    }

    /// <summary>Waits for the next call; false when the process has ended.</summary>
    internal static bool WaitForCall(SafeFileHandle listener, SafeFileHandle process)
    {
        // The listener alone does not say it as long as a child of the process is not waited for.
        var entries = stackalloc PollEntry[2];
        entries[0] = new PollEntry { Descriptor = (int)listener.DangerousGetHandle(), Events = PollIn };
        entries[1] = new PollEntry { Descriptor = (int)process.DangerousGetHandle(), Events = PollIn };
        while (Poll(entries, 2, -1) < 0)
        {
            // Interrupted.
        }

        return (entries[0].Result & PollIn) != 0;
    }

    /// <summary>False when the call was withdrawn: its thread was killed.</summary>
    internal static bool TryReceive(SafeFileHandle listener, out Notification notification)
    {
        notification = default;
        fixed (Notification* start = &notification) return IoCtl(listener, Receive, start) == 0;
    }

    internal static void Answer(SafeFileHandle listener, Response response) => _ = IoCtl(listener, Send, &response);

    internal static bool TryRead(int process, ulong address, Span<byte> buffer) => Move(process, address, buffer, isRead: true);

    internal static bool TryWrite(int process, ulong address, Span<byte> buffer) => Move(process, address, buffer, isRead: false);

    private static bool Move(int process, ulong address, Span<byte> buffer, bool isRead)
    {
        fixed (byte* start = buffer)
        {
            var local = new Vector { Start = (ulong)start, Length = (ulong)buffer.Length };
            var remote = new Vector { Start = address, Length = (ulong)buffer.Length };
            var moved = isRead ? ReadMemory(process, &local, 1, &remote, 1, 0) : WriteMemory(process, &local, 1, &remote, 1, 0);
            return moved == buffer.Length;
        }
    }

    private static SafeFileHandle Descriptor(string operation, nint result) =>
        result >= 0 ? new SafeFileHandle(result, ownsHandle: true) : throw new LinuxException(operation, "", (Errno)Marshal.GetLastPInvokeError());

    [StructLayout(LayoutKind.Sequential)]
    private struct PollEntry
    {
        internal int Descriptor;
        internal short Events;
        internal short Result;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Vector
    {
        internal ulong Start;
        internal ulong Length;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct FilterProgram
    {
        internal ushort Length;
        internal FilterInstruction* Start;
    }
}

/// <summary>struct sock_filter.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct FilterInstruction(ushort Code, byte IfTrue, byte IfFalse, uint Operand);

/// <summary>struct seccomp_notif: a thread waits in this call.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct Notification
{
    internal ulong Id;
    internal int Thread;
    internal uint Flags;
    internal int Number;
    internal uint Architecture;
    internal ulong InstructionPointer;
    internal fixed ulong Arguments[6];
}

/// <summary>struct seccomp_notif_resp.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct Response
{
    internal ulong Id;
    internal long Value;
    internal int Error;
    internal uint Flags;

    /// <summary>The call is made as if nobody had looked.</summary>
    internal static Response Continue(ulong id) => new() { Id = id, Flags = 1 };

    internal static Response Fail(ulong id, Errno errno) => new() { Id = id, Error = -(int)errno };

    internal static Response Return(ulong id, long value) => new() { Id = id, Value = value };
}
