using StorageActors.Drivers;
using StorageActors.Drivers.Aufs;
using StorageActors.Linux;
using StorageActors.Protocol;
using StorageActors.TestSupport;
using StorageActors.TestSupport.Aufs;
using Xunit;

namespace StorageActors.DriverContractTests;

/// <summary>The aufs driver: on the kernel's own aufs where it has one, else on a simulated one.</summary>
public abstract class AufsContract : LayerDriverContract, IDisposable
{
    private TempDirectory? _scratch;
    private SimulatedAufs? _kernel;

    /// <summary>With the module as it is built by default, and one branch left for a layer on top.</summary>
    protected override int MaximumLayers => AufsMachine.DefaultBranchLimit - 1;

    protected override int MaximumNameLength => 242;

    internal static bool IsReal { get; } = Libc.GetEuid() == 0 && AufsKernel.Instance.Examine("/").IsRegistered;

    private SimulatedAufs Kernel => _kernel ??= new SimulatedAufs((_scratch = LoopFileSystem.Shared(FileSystem).NewDirectory()).Path);

    private protected override ILayerDriver OpenDriver(string root, DriverOptions options) =>
        IsReal ? new AufsDriver(root, options) : new ModelledAufsDriver(new AufsDriver(root, options, kernel: Kernel), Kernel);

    private protected override void MountDescribed(MountStep step, string target)
    {
        if (IsReal || step.Type != "aufs")
        {
            base.MountDescribed(step, target);
            return;
        }

        // What mount(8) makes of the words that are flags.
        var flags = (step.Options.Contains("remount") ? MountFlags.Remount : MountFlags.None) | (step.Options.Contains("ro") ? MountFlags.ReadOnly : MountFlags.None)
            | (step.Options.Contains("nodev") ? MountFlags.NoDevices : MountFlags.None);
        Kernel.Mount(step.Source, target, step.Type, flags, string.Join(',', step.Options.Where(option => option is not ("remount" or "ro" or "rw" or "nodev"))));
    }

    private protected override void UnmountDescribed(string target)
    {
        if (IsReal) base.UnmountDescribed(target);
        else Assert.Equal(Errno.None, Kernel.TryUnmount(target, UnmountFlags.None));
    }

    public void Dispose()
    {
        _scratch?.Dispose();
        Assert.Empty(_kernel?.Record.Violations ?? []);
        Assert.Empty(_kernel?.Mounted ?? []);
        GC.SuppressFinalize(this);
    }
}

/// <summary>On a journalled ext4.</summary>
public sealed class AufsOnExt4Contract : AufsContract
{
    protected override FileSystemKind FileSystem => FileSystemKind.Ext4;

    /// <summary>Says which of the two the contract ran on.</summary>
    [SkippableFact]
    public void Contract_ran_on_the_kernels_own_aufs() =>
        Skip.IfNot(IsReal, "this kernel has no aufs: the driver's contract ran on the simulated one");
}

/// <summary>On xfs.</summary>
public sealed class AufsOnXfsContract : AufsContract
{
    protected override FileSystemKind FileSystem => FileSystemKind.Xfs;
}
