using Microsoft.Win32.SafeHandles;
using StorageActors.Linux;

namespace StorageActors.CrashTests.PowerCuts;

/// <summary>
/// A disk with a volatile cache: what was written is read back at once, but only a flush makes it stay. When the power goes, the disk holds all that was
/// flushed, and of what was written since then any part, in blocks of 4 KiB.
/// </summary>
internal sealed class BlockLog(long size)
{
    internal const int BlockSize = 4096;

    private readonly Lock _gate = new();
    private readonly byte[]?[] _current = new byte[]?[size / BlockSize];
    private readonly byte[]?[] _stable = new byte[]?[size / BlockSize];
    private readonly List<(int Block, byte[] Content)> _pending = [];
    private int _writesLeft;
    private Action? _whenWritten;

    internal long Size { get; } = size;

    internal void Read(long offset, Span<byte> target)
    {
        lock (_gate)
        {
            while (!target.IsEmpty)
            {
                var (block, start) = ((int)(offset / BlockSize), (int)(offset % BlockSize));
                var count = Math.Min(target.Length, BlockSize - start);
                if (_current[block] is { } content) content.AsSpan(start, count).CopyTo(target);
                else target[..count].Clear();
                target = target[count..];
                offset += count;
            }
        }
    }

    internal void Write(long offset, ReadOnlySpan<byte> content)
    {
        lock (_gate)
        {
            while (!content.IsEmpty)
            {
                var (block, start) = ((int)(offset / BlockSize), (int)(offset % BlockSize));
                var count = Math.Min(content.Length, BlockSize - start);
                var fresh = new byte[BlockSize]; // The old one may be in a cut.
                _current[block]?.CopyTo(fresh, 0);
                content[..count].CopyTo(fresh.AsSpan(start));
                _current[block] = fresh;
                _pending.Add((block, fresh));
                if (_whenWritten is { } then && --_writesLeft <= 0)
                {
                    _whenWritten = null;
                    then();
                }

                content = content[count..];
                offset += count;
            }
        }
    }

    internal void Flush()
    {
        lock (_gate)
        {
            foreach (var (block, content) in _pending) _stable[block] = content;
            _pending.Clear();
        }
    }

    /// <summary>Calls back, once, in the midst of writing: when so many more blocks have been written.</summary>
    internal void AfterWrites(int count, Action then)
    {
        lock (_gate) (_writesLeft, _whenWritten) = (count, then);
    }

    /// <summary>The power goes now: what the disk holds, with such a part of what was not flushed as <paramref name="random"/> says.</summary>
    internal Cut CutNow(Random random)
    {
        lock (_gate)
        {
            var held = (byte[]?[])_stable.Clone();
            var kept = 0;
            var (kind, prefix) = (random.Next(4), random.Next(_pending.Count + 1));
            foreach (var (index, (block, content)) in _pending.Index())
            {
                var stays = kind switch { 0 => false, 1 => true, 2 => index < prefix, _ => random.Next(2) == 0 };
                if (!stays) continue;
                held[block] = content;
                kept++;
            }

            return new Cut(held, _pending.Count, kept);
        }
    }
}

/// <summary>What a disk holds after a power cut.</summary>
/// <param name="Blocks">Its blocks; null for zeros.</param>
/// <param name="Unflushed">How many writes of blocks were not flushed.</param>
/// <param name="Kept">How many of these it holds all the same.</param>
internal sealed record Cut(byte[]?[] Blocks, int Unflushed, int Kept)
{
    /// <summary>Writes it to a sparse file.</summary>
    internal void Save(string path)
    {
        using SafeFileHandle file = Libc.Open(path, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Truncate, 0x180);
        Libc.FTruncate(file, (long)Blocks.Length * BlockLog.BlockSize);
        for (var block = 0; block < Blocks.Length; block++)
        {
            if (Blocks[block] is { } content) Libc.PWriteAll(file, content, (long)block * BlockLog.BlockSize);
        }
    }
}
