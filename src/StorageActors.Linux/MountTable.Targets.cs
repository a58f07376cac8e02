using System.Buffers;
using System.Text;

namespace StorageActors.Linux;

/// <content>Mount points alone, as they come from the kernel, without anything for the other lines.</content>
internal static partial class MountTable
{
    private const int BufferSize = 64 * 1024;
    private const int FieldsBeforeTarget = 4;

    /// <summary>The mount points whose path ends so, in one reading of the table.</summary>
    /// <param name="ending">In bytes that the kernel does not escape.</param>
    /// <param name="mostLines">The table may have so many mounts.</param>
    /// <param name="mostBytes">And so many bytes.</param>
    /// <returns>Null when it is larger, cannot be read, or has a line that is none.</returns>
    internal static List<string>? TryReadTargets(ReadOnlySpan<byte> ending, long mostLines, long mostBytes)
    {
        try
        {
            using var table = new FileStream("/proc/thread-self/mountinfo", FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
            return TryReadTargets(table, ending, mostLines, mostBytes);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // No /proc here.
        }
    }

    /// <summary>The same of a table that is already open.</summary>
    internal static List<string>? TryReadTargets(Stream table, ReadOnlySpan<byte> ending, long mostLines, long mostBytes)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            var targets = new List<string>();
            var (filled, lines, bytes) = (0, 0L, 0L);
            while (true)
            {
                var count = table.Read(buffer, filled, buffer.Length - filled);
                if (count == 0) return filled == 0 ? targets : null; // A line that does not end, or is longer than any.
                filled += count;
                if ((bytes += count) > mostBytes) return null;
                ReadOnlySpan<byte> left = buffer.AsSpan(0, filled);
                for (int end; (end = left.IndexOf((byte)'\n')) >= 0; left = left[(end + 1)..])
                {
                    if (++lines > mostLines || !TryTarget(left[..end], out var target)) return null;
                    if (target.EndsWith(ending)) targets.Add(Unescape(Encoding.UTF8.GetString(target)));
                }

                left.CopyTo(buffer);
                filled = left.Length;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>The fifth field.</summary>
    private static bool TryTarget(ReadOnlySpan<byte> line, out ReadOnlySpan<byte> target)
    {
        target = line;
        for (var field = 0; field < FieldsBeforeTarget; field++)
        {
            var blank = target.IndexOf((byte)' ');
            if (blank < 0) return false;
            target = target[(blank + 1)..];
        }

        var end = target.IndexOf((byte)' ');
        if (end < 0) return false;
        target = target[..end];
        return target.StartsWith("/"u8);
    }
}
