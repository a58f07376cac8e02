using StorageActors.Linux;

namespace StorageActors.Store;

/// <summary>
/// Says that a death, or an end in the midst of work, may have left things which no engine has put right yet: an empty file in the root. After a death the journal's log says so at first, but that goes
/// as soon as an engine closes the journal, also one that was stopped, or failed, before it had settled anything. So the mark is made before the journal of such a store is opened, and goes when a
/// thorough recovery has come to its end; it is made, too, by an engine that has served and stops without having come to rest. A journal elsewhere has no such log: there it stands from each start to the end
/// of a stop.
/// </summary>
internal static class UnsettledMark
{
    private static ReadOnlySpan<byte> Name => "unsettled"u8;

    internal static bool IsSet(StoreLayout layout)
    {
        using var root = Libc.OpenDirectory(layout.Root);
        return Libc.TryFStatAt(root, Name, out _) != Errno.ENOENT;
    }

    /// <summary>Durable on return. Best effort: on a disk that takes not even a name the recovery itself is tried all the same.</summary>
    internal static void Set(StoreLayout layout) => BestEffort(() =>
    {
        using var root = Libc.OpenDirectory(layout.Root);
        Libc.OpenAt(root, Name, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.NoFollow | OpenFlags.NonBlocking, 0x180).Dispose();
        Libc.FSync(root);
    });

    /// <summary>One that stays costs the next start a thorough look.</summary>
    internal static void Clear(StoreLayout layout) => BestEffort(() =>
    {
        using var root = Libc.OpenDirectory(layout.Root);
        Libc.TryUnlinkAt(root, Name);
    });

    private static void BestEffort(Action action)
    {
        try
        {
            action();
        }
        catch (LinuxException)
        {
            // What goes on fails, too, if it must.
        }
    }
}
