using System.Runtime.InteropServices;

namespace StorageActors.Archive.Tar;

/// <summary>A time as archives and file systems hold it: seconds since 1970, possibly negative, and 0 to 999,999,999 ns after them.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct TarTime(long Seconds, int Nanoseconds = 0) : IComparable<TarTime>
{
    /// <inheritdoc/>
    public int CompareTo(TarTime other) =>
        Seconds != other.Seconds ? Seconds.CompareTo(other.Seconds) : Nanoseconds.CompareTo(other.Nanoseconds);

    /// <summary>Whether <paramref name="left"/> is earlier.</summary>
    public static bool operator <(TarTime left, TarTime right) => left.CompareTo(right) < 0;

    /// <summary>Whether <paramref name="left"/> is later.</summary>
    public static bool operator >(TarTime left, TarTime right) => left.CompareTo(right) > 0;

    /// <summary>Whether <paramref name="left"/> is not later.</summary>
    public static bool operator <=(TarTime left, TarTime right) => left.CompareTo(right) <= 0;

    /// <summary>Whether <paramref name="left"/> is not earlier.</summary>
    public static bool operator >=(TarTime left, TarTime right) => left.CompareTo(right) >= 0;
}
