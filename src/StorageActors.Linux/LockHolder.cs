using System.Runtime.InteropServices;

namespace StorageActors.Linux;

/// <summary>A lock in the way. An open-file-description lock belongs to no process: its <see cref="Pid"/> is null.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct LockHolder(bool Exclusive, int? Pid);
