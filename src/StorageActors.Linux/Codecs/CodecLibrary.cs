using System.Reflection;
using System.Runtime.InteropServices;

namespace StorageActors.Linux.Codecs;

/// <summary>The host's compression libraries, which may or may not be installed.</summary>
internal static class CodecLibrary
{
    internal const string Zstd = "libzstd.so.1";
    internal const string Lzma = "liblzma.so.5";
    internal const string Bzip2 = "libbz2.so.1";

    /// <summary>Some distributions have the library of bzip2 under this name only.</summary>
    private const string OtherBzip2 = "libbz2.so.1.0";

    static CodecLibrary() => NativeLibrary.SetDllImportResolver(typeof(CodecLibrary).Assembly, Resolve);

    internal static bool IsAvailable(string library)
    {
        if (!TryLoad(library, out var handle)) return false;
        // Stays loaded: freeing it would only make the first real call load it again.
        return handle != 0;
    }

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? searchPath) =>
        name is Bzip2 && TryLoad(name, out var handle) ? handle : 0;

    private static bool TryLoad(string library, out nint handle) =>
        NativeLibrary.TryLoad(library, out handle) || (library is Bzip2 && NativeLibrary.TryLoad(OtherBzip2, out handle));
}
