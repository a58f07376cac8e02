using Microsoft.Win32.SafeHandles;

namespace StorageActors.Archive.TarSplit;

/// <summary>Opens the files of an extracted layer by the names its archive gave them.</summary>
internal interface IPayloadSource
{
    /// <summary>Opens a regular file for reading; the name is resolved inside the layer, whatever it says. The caller disposes.</summary>
    SafeFileHandle Open(ReadOnlySpan<byte> name);
}
