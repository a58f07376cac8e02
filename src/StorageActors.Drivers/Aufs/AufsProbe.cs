using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using StorageActors.Drivers.Mounting;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Drivers.Aufs;

/// <summary>Finds out by a mount of two throw-away directories whether aufs can be mounted, and whether it knows <c>dirperm1</c>; once for a process.</summary>
internal static class AufsProbe
{
    private static readonly ConditionalWeakTable<IAufsKernel, StrongBox<bool>> Known = new();

    /// <summary>Whether mounts can have <c>dirperm1</c>; that they cannot is a warning.</summary>
    internal static bool Run(string root, IAufsKernel kernel, UnionMounts unions, Action<string> warn)
    {
        lock (Known)
        {
            if (Known.TryGetValue(kernel, out var known)) return known.Value;
            var found = Try(root, kernel, unions, warn);
            Known.Add(kernel, new StrongBox<bool>(found));
            return found;
        }
    }

    private static bool Try(string root, IAufsKernel kernel, UnionMounts unions, Action<string> warn)
    {
        using var directory = Libc.OpenDirectory(root);
        var name = Encoding.ASCII.GetBytes($"staging/probe-{RandomNumberGenerator.GetHexString(16, lowercase: true)}");
        Make(directory, "staging"u8);
        Make(directory, name);
        try
        {
            foreach (var part in (string[])["upper", "upper/diff", "lower", "lower/diff", "mnt"]) Make(directory, [.. name, (byte)'/', .. Encoding.ASCII.GetBytes(part)]);
            var home = "../" + Encoding.ASCII.GetString(name);
            var stack = new BranchStack(home, LayerId.Parse("upper"), [LayerId.Parse("lower")], Writable: true, MountFlags.None, "", Dirperm1: true, unions.Xino);
            var target = $"{root}/{Encoding.ASCII.GetString(name)}/mnt";
            if (TryMount(stack, target, kernel, unions) is not { } without) return true;
            if (TryMount(stack with { Dirperm1 = false }, target, kernel, unions) is { } reason)
            {
                throw DriverErrors.Refuse(StorageErrorCode.Unsupported, "probe", $"No aufs can be mounted on the store at {root}: {reason.Message}. The kernel's log (dmesg) says more.", root);
            }

            warn($"aufs is mounted without dirperm1, so permissions of directories in lower layers count: {without.Message}");
            return false;
        }
        finally
        {
            DirectoryTree.Remove(directory, name);
        }
    }

    private static LinuxException? TryMount(BranchStack stack, string target, IAufsKernel kernel, UnionMounts unions)
    {
        try
        {
            unions.Mount(stack, target);
        }
        catch (LinuxException e)
        {
            return e;
        }

        var errno = kernel.TryUnmount(target, UnmountFlags.None);
        if (errno == Errno.EBUSY) unions.Detach(target);
        return null;
    }

    private static void Make(Microsoft.Win32.SafeHandles.SafeFileHandle directory, ReadOnlySpan<byte> name)
    {
        var errno = Libc.TryMkdirAt(directory, name, 0x1C0);   // 0700
        if (errno is not (Errno.None or Errno.EEXIST)) throw Libc.Failure("mkdirat", directory, name, errno);
    }
}
