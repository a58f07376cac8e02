using System.Security.Cryptography;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace StorageActors.Linux;

/// <summary>Small files that readers and crashes see either old or new, never in between.</summary>
internal static class AtomicFile
{
    private const int RandomDigits = 8;

    private static ReadOnlySpan<byte> Suffix => ".tmp"u8;

    /// <summary>
    /// Writes <paramref name="content"/> under <paramref name="name"/>, replacing what is there, and returns when the disk has
    /// it. On failure the old file stands (unless it was only the directory that could not be synced) and nothing is left behind;
    /// after a crash a <c>.name.XXXXXXXX.tmp</c> may be.
    /// </summary>
    /// <param name="directory">Where.</param>
    /// <param name="name">Its name.</param>
    /// <param name="content">What it is to hold.</param>
    /// <param name="mode">
    /// Its permissions; null for those of the file that is replaced, and its owner and group where that may be, or of a new one what the process's umask leaves of 0644.
    /// </param>
    /// <param name="written">Called when the new file is on disk, but not under its name yet.</param>
    internal static void Replace(
        SafeFileHandle directory, ReadOnlySpan<byte> name, ReadOnlySpan<byte> content, uint? mode = 0x180, Action? written = null)
    {
        var temporary = TemporaryName(name);
        const OpenFlags flags = OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Exclusive | OpenFlags.NoFollow;
        FileStatus? old = mode is null && Libc.TryFStatAt(directory, name, out var there) == Errno.None && there.IsRegular ? there : null;
        using (var file = Libc.OpenAt(directory, temporary, flags, mode is null && old is null ? 0x1A4u : 0x180u))
        {
            try
            {
                Libc.WriteAll(file, content);
                if (old is { } replaced) Take(file, replaced);
                if (mode is { } wanted) Libc.FChmod(file, wanted);
                Libc.FSync(file);   // not fdatasync: the mode is to survive, too
                written?.Invoke();
                Libc.RenameAt2(directory, temporary, directory, name);
            }
            catch
            {
                Libc.TryUnlinkAt(directory, temporary);
                throw;
            }
        }
        Libc.FSync(directory);
    }

    /// <summary>Removes what crashes left of replacements of <paramref name="name"/>; nobody may be at one.</summary>
    internal static void RemoveTemporaries(SafeFileHandle directory, ReadOnlySpan<byte> name)
    {
        List<byte[]>? left = null;
        using var own = Libc.OpenAt(directory, "."u8, OpenFlags.Directory); // From the beginning, whoever has read the other.
        using (var reader = new DirectoryReader(own))
        {
            while (reader.TryRead(out var entry))
            {
                if (IsTemporary(entry.Name, name)) (left ??= []).Add(entry.Name.ToArray());
            }
        }

        foreach (var one in left ?? []) Libc.TryUnlinkAt(directory, one);
    }

    /// <summary>The content of a small file; null when there is none. A longer file than <paramref name="limit"/> is EFBIG.</summary>
    internal static byte[]? Read(SafeFileHandle directory, ReadOnlySpan<byte> name, int limit = 64 * 1024 * 1024)
    {
        var errno = Libc.TryOpenAt(directory, name, OpenFlags.NoFollow | OpenFlags.NonBlocking, 0, out var file);
        using (file)
        {
            if (errno == Errno.ENOENT) return null;
            if (errno != Errno.None) throw Libc.Failure("openat", directory, name, errno);
            var status = Libc.FStat(file);
            if (!status.IsRegular) throw Libc.Failure("read", file, Errno.EINVAL, detail: $"a {status.Type}, not a regular file");
            if (status.Size > limit) throw Libc.Failure("read", file, Errno.EFBIG, detail: $"{status.Size} bytes, at most {limit} expected");
            var content = new byte[status.Size];
            var length = Libc.ReadFully(file, content);
            return length == content.Length ? content : content[..length];
        }
    }

    /// <summary>
    /// Gives a new file owner, group and mode of the one in whose place it comes, before it is there. Where the group cannot be kept, the one that it has may do no more than
    /// everybody. New content is nobody's setuid program.
    /// </summary>
    private static void Take(SafeFileHandle file, FileStatus old)
    {
        const uint permissions = 0x1FF, ofGroup = 0x38, unchanged = uint.MaxValue;
        var mine = Libc.FStat(file);
        var keepsGroup = mine.GroupId == old.GroupId;
        if (mine.UserId != old.UserId && Libc.TryFChown(file, old.UserId, old.GroupId) == Errno.None) keepsGroup = true;
        if (!keepsGroup) keepsGroup = Libc.TryFChown(file, unchanged, old.GroupId) == Errno.None;
        var mode = old.Permissions & permissions;
        Libc.FChmod(file, keepsGroup ? mode : mode & (~ofGroup | (mode << 3)));
    }

    private static byte[] TemporaryName(ReadOnlySpan<byte> name) =>
        [(byte)'.', .. Kept(name), (byte)'.', .. Encoding.ASCII.GetBytes(RandomNumberGenerator.GetHexString(RandomDigits, lowercase: true)), .. Suffix];

    private static bool IsTemporary(ReadOnlySpan<byte> found, ReadOnlySpan<byte> name)
    {
        var kept = Kept(name);
        return found.Length == kept.Length + RandomDigits + Suffix.Length + 2 && found[0] == '.' && found[1..].StartsWith(kept) && found[kept.Length + 1] == '.'
            && !found.Slice(kept.Length + 2, RandomDigits).ContainsAnyExcept("0123456789abcdef"u8) && found.EndsWith(Suffix);
    }

    /// <summary>A long name loses its end, since the whole must fit NAME_MAX.</summary>
    private static ReadOnlySpan<byte> Kept(ReadOnlySpan<byte> name) => name[..Math.Min(name.Length, 240)];
}
