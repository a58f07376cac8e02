using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace StorageActors.Linux;

/// <summary>IN_*: what a watch tells of.</summary>
[Flags]
internal enum NameEvents : uint
{
    None = 0,
    MovedFrom = 0x40,
    MovedTo = 0x80,
    Create = 0x100,
    Delete = 0x200,
    DeleteSelf = 0x400,
    MoveSelf = 0x800,
    Overflow = 0x4000,
    OnlyDirectory = 0x0100_0000,
}

/// <summary>
/// Watches directories (inotify(7)): whether one was moved or removed, or a name in it was made, removed or replaced, whoever on this kernel did it, by whichever mount. The kernel notes it before
/// the call that did it returns. Not thread safe.
/// </summary>
internal sealed class NameWatch : IDisposable
{
    private const NameEvents Wanted =
        NameEvents.MovedFrom | NameEvents.MovedTo | NameEvents.Create | NameEvents.Delete | NameEvents.DeleteSelf | NameEvents.MoveSelf | NameEvents.OnlyDirectory;

    /// <summary>Of <c>struct inotify_event</c>, before the name.</summary>
    private const int EventHeader = 16;
    private const int MaskOffset = 4;
    private const int LengthOffset = 12;

    /// <summary>Whoever has to read more than that is told that all may have changed, instead of reading on for as long as somebody makes names.</summary>
    private const int MostReads = 256;

    private readonly SafeFileHandle _events;

    private NameWatch(SafeFileHandle events) => _events = events;

    /// <summary>Null where the kernel gives this user no further one.</summary>
    internal static NameWatch? TryCreate() => Libc.TryINotifyInit1(out var events) == Errno.None ? new NameWatch(events) : null;

    /// <summary>Watches a directory; a number above zero, the same again for the same directory, or zero when it cannot be watched.</summary>
    /// <param name="directory">An open directory.</param>
    /// <param name="name">A name in it: ".." for the one around it.</param>
    internal int TryAdd(SafeFileHandle directory, ReadOnlySpan<byte> name) =>
        Libc.TryINotifyAddWatch(_events, directory, name, Wanted, out var number) == Errno.None ? number : 0;

    /// <summary>Watches it no more. What happened before may be told still.</summary>
    internal void Remove(int number) => Libc.TryINotifyRmWatch(_events, number);

    /// <summary>Adds the numbers of the directories that changed since this was asked last; one call of the system when none did.</summary>
    /// <returns>False: there was more than the kernel keeps, so every directory may have changed.</returns>
    internal bool TryRead(ICollection<int> changed)
    {
        Span<byte> buffer = stackalloc byte[2048];   // Several; one takes 16 bytes and a name of up to 256.
        var isComplete = true;
        for (var reads = 0; reads < MostReads; reads++)
        {
            var errno = Libc.TryReadEvents(_events, buffer, out var length);
            if (errno == Errno.EAGAIN || (errno == Errno.None && length == 0)) return isComplete;
            if (errno != Errno.None) return false;
            for (var rest = buffer[..length]; rest.Length >= EventHeader;)
            {
                if ((BinaryPrimitives.ReadUInt32LittleEndian(rest[MaskOffset..]) & (uint)NameEvents.Overflow) != 0) isComplete = false;
                else changed.Add(BinaryPrimitives.ReadInt32LittleEndian(rest));
                rest = rest[(EventHeader + BinaryPrimitives.ReadInt32LittleEndian(rest[LengthOffset..]))..];
            }
        }

        return false;
    }

    public void Dispose() => _events.Dispose();
}
