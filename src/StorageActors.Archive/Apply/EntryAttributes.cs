using System.Runtime.InteropServices;
using StorageActors.Archive.Tar;
using StorageActors.Linux;

namespace StorageActors.Archive.Apply;

/// <summary>Owner, permissions and times as an entry's header gives them and a file system takes them.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct EntryAttributes(uint UserId, uint GroupId, uint Mode, TimeSpec Access, TimeSpec Modify)
{
    private const long MaxId = 0xfffffffe;   // the next one means "leave as it is" to chown

    internal static EntryAttributes Of(TarEntry entry)
    {
        var modify = ToTimeSpec(entry.Mtime);
        var access = entry.Atime is { } atime && atime > entry.Mtime ? ToTimeSpec(atime) : modify;
        return new EntryAttributes(Id(entry.Uid, "owner"), Id(entry.Gid, "group"), (uint)entry.Mode & ModeBits.All, access, modify);
    }

    /// <summary>Times before 1970 become 1970; the kernel cuts what is too late for the file system.</summary>
    internal static TimeSpec ToTimeSpec(TarTime time) => time.Seconds < 0 ? default : new TimeSpec(time.Seconds, time.Nanoseconds);

    private static uint Id(long id, string what) =>
        id is >= 0 and <= MaxId ? (uint)id : throw new EntryFault($"{id} is no valid id of an {what}".Replace("an group", "a group", StringComparison.Ordinal));
}
