using System.Numerics;

namespace StorageActors.Records;

/// <summary>
/// Which rows of a table have a key, where several may have the same; in the table's order. Two numbers for each row and no object for any. The hashes have a seed of the process, so that nobody
/// can choose ids that all meet.
/// </summary>
internal sealed class RowsByKey
{
    private readonly KeyOfRow _keyOf;
    private readonly int[] _first;   // a row's number and one, so that nothing is 0
    private readonly int[] _next;

    /// <param name="count">How many rows there are.</param>
    /// <param name="keyOf">A row's key, always the same; empty for a row that has none.</param>
    internal RowsByKey(int count, KeyOfRow keyOf)
    {
        _keyOf = keyOf;
        _first = new int[BitOperations.RoundUpToPowerOf2((uint)count + 1)];
        _next = new int[count];
        for (var row = count - 1; row >= 0; row--)
        {
            var key = keyOf(row);
            if (key.IsEmpty) continue;
            ref var first = ref _first[Bucket(key)];
            (_next[row], first) = (first, row + 1);
        }
    }

    /// <summary>The key of a row.</summary>
    internal delegate ReadOnlySpan<byte> KeyOfRow(int row);

    /// <summary>The first row with a key; null when there is none.</summary>
    internal int? First(ReadOnlySpan<byte> key) => key.IsEmpty ? null : From(_first[Bucket(key)], key);

    /// <summary>The next row with the same key; null when there is none.</summary>
    internal int? Next(int row) => From(_next[row], _keyOf(row));

    private int? From(int number, ReadOnlySpan<byte> key)
    {
        while (number != 0 && !_keyOf(number - 1).SequenceEqual(key)) number = _next[number - 1];
        return number == 0 ? null : number - 1;
    }

    private int Bucket(ReadOnlySpan<byte> key)
    {
        var hash = default(HashCode);
        hash.AddBytes(key);
        return hash.ToHashCode() & (_first.Length - 1);
    }
}
