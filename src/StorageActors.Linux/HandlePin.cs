using Microsoft.Win32.SafeHandles;

namespace StorageActors.Linux;

/// <summary>The number of a descriptor, held open while in scope: a finalizer cannot close it meanwhile.</summary>
internal readonly ref struct HandlePin
{
    private readonly SafeFileHandle _handle;

    internal HandlePin(SafeFileHandle handle)
    {
        var added = false;
        handle.DangerousAddRef(ref added);
        _handle = handle;
    }

    internal nint Descriptor => _handle.DangerousGetHandle();

    public void Dispose() => _handle.DangerousRelease();
}
