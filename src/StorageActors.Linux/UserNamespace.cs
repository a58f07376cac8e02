using System.Text;
using Microsoft.Win32.SafeHandles;

namespace StorageActors.Linux;

/// <summary>Makes user namespaces that nobody is in, which hold maps of ids for mounts, and says what the one of this process is like.</summary>
internal static class UserNamespace
{
    /// <summary>Which file stands for the machine's first namespace; PROC_USER_INIT_INO.</summary>
    private const ulong FirstInode = 0xEFFFFFFD;

    /// <summary>
    /// Which users of the namespace above those of this process's own are, as <c>inside:outside:number</c>, with commas between; null in the machine's first namespace, and where nothing
    /// says it. Where nothing says which is the first, it is one that maps all ids to themselves in one line.
    /// </summary>
    internal static string? OwnUsers()
    {
        const string path = "/proc/self/uid_map";
        var isNumbered = Libc.TryStat("/proc/self/ns/user", out var status, AtFlags.None) == Errno.None;
        if (isNumbered && status.Inode == FirstInode) return null;
        try
        {
            var lines = File.ReadAllLines(path).Select(static line => string.Join(':', line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)));
            return string.Join(',', lines) is var users && (users.Length == 0 || (!isNumbered && users == "0:0:4294967295")) ? null : users;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Whether this process is in another namespace than the machine's first. No process of several threads goes to another one.</summary>
    internal static bool IsOwn { get; } = OwnUsers() is not null;

    /// <summary>
    /// A namespace with these maps, which lasts as long as the descriptor, or a mount that has them. The process that it takes has ended when this returns, whatever
    /// comes of it.
    /// </summary>
    /// <param name="uidmap">As <c>uid_map</c> takes it: lines of an id inside, an id outside and a number, less than a page together.</param>
    /// <param name="gidmap">The same for groups.</param>
    internal static SafeFileHandle Create(string uidmap, string gidmap)
    {
        var errno = Libc.TryCloneUser(out var pid);
        if (errno != Errno.None) throw new LinuxException("clone", "", errno, flags: "CLONE_NEWUSER");
        try
        {
            // A process that has ended and is not reaped yet has its namespace still.
            var path = FormattableString.Invariant($"/proc/{pid}/");
            Write(path + "uid_map", uidmap);
            Write(path + "gid_map", gidmap);
            return Libc.Open(path + "ns/user", OpenFlags.ReadOnly);
        }
        finally
        {
            Libc.Reap(pid);
        }
    }

    /// <summary>The kernel takes a map in one write, and only once.</summary>
    private static void Write(string path, string map)
    {
        using var file = Libc.Open(path, OpenFlags.WriteOnly);
        try
        {
            Libc.WriteAll(file, Encoding.ASCII.GetBytes(map));
        }
        catch (LinuxException e)
        {
            throw new LinuxException("write", path, e.Errno, detail: map.ReplaceLineEndings(", "));
        }
    }
}
