using System.Text;
using StorageActors.Linux;

namespace StorageActors.DriverContractTests.Harness;

/// <summary>Attributes of one name.</summary>
/// <param name="Mode">Permissions with setuid, setgid and sticky.</param>
/// <param name="Uid">Owner.</param>
/// <param name="Gid">Group.</param>
/// <param name="Mtime">Time of last change.</param>
/// <param name="Xattrs">Names and values.</param>
internal sealed record Meta(uint Mode, uint Uid, uint Gid, TimeSpec Mtime, IReadOnlyList<(string Name, byte[] Value)> Xattrs)
{
    /// <summary>An arbitrary past moment, so that nothing passes by happening to be made now.</summary>
    internal static readonly TimeSpec Past = new(1_600_000_000, 0);

    internal static Meta File { get; } = Of("644");

    internal static Meta Directory { get; } = Of("755");

    /// <param name="mode">Octal.</param>
    /// <param name="uid">Owner.</param>
    /// <param name="gid">Group.</param>
    internal static Meta Of(string mode, uint uid = 0, uint gid = 0) => new(Convert.ToUInt32(mode, 8), uid, gid, Past, []);

    internal Meta At(long seconds, long nanoseconds = 0) => this with { Mtime = new TimeSpec(seconds, nanoseconds) };

    internal Meta With(string xattr, string value) => With(xattr, Encoding.Latin1.GetBytes(value));

    internal Meta With(string xattr, byte[] value) => this with { Xattrs = [.. Xattrs, (xattr, value)] };
}
