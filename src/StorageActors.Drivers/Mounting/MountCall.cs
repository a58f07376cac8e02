using System.Text;
using StorageActors.Linux;

namespace StorageActors.Drivers.Mounting;

/// <summary>One call of mount(2) that a plan wants made.</summary>
/// <param name="Flags">Its flags.</param>
/// <param name="Data">Its option string: at most a page less one byte, since the kernel cuts the rest off without a word.</param>
internal readonly record struct MountCall(MountFlags Flags, string Data)
{
    /// <summary>Bytes of an option string that the kernel takes.</summary>
    /// <param name="pageSize">The machine's page.</param>
    internal static int Limit(int pageSize) => pageSize - 1;

    /// <summary>Bytes of a text in an option string.</summary>
    internal static int SizeOf(string text) => Encoding.UTF8.GetByteCount(text);
}
