using System.Runtime.InteropServices;
using StorageActors.Archive.Digests;

namespace StorageActors.Records;

/// <summary>
/// A set of names as two numbers, whatever their order: how many there are, and the sum of a number that each has by itself. Two sets with the same sum are the same, but for a chance of one in
/// 2^64: the numbers are CRC-64 (ISO), stirred so that names which differ alike do not differ by numbers alike. It is written to disk, so it stays as it is.
/// </summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct NameSum(int Count, long Sum)
{
    internal static readonly NameSum None;

    internal NameSum With(ReadOnlySpan<byte> name) => new(Count + 1, unchecked(Sum + NumberOf(name)));

    /// <summary>Without a name that is in it.</summary>
    internal NameSum Without(ReadOnlySpan<byte> name) => new(Count - 1, unchecked(Sum - NumberOf(name)));

    private static long NumberOf(ReadOnlySpan<byte> name)
    {
        var number = Crc64.Compute(name);
        unchecked
        {
            number = (number ^ (number >> 30)) * 0xBF58476D1CE4E5B9;
            number = (number ^ (number >> 27)) * 0x94D049BB133111EB;
        }

        return unchecked((long)(number ^ (number >> 31)));
    }
}
