using StorageActors.Drivers;
using StorageActors.Drivers.Mounting;
using StorageActors.Protocol;
using StorageActors.Store;

namespace StorageActors.DriverOperations;

/// <summary>Mounts a layer.</summary>
internal sealed record MountLayer(MountRequest Request) : DriverOperation<ActiveMount>
{
    internal override string Verb => "mount";

    internal override LayerId? Turn => Request.Layer.Id;

    internal override ActiveMount Execute(DriverServices services, CancellationToken stop)
    {
        CrashPoint.Reached(CrashPoint.BeforeMount);
        var mount = services.Driver.Mount(Request);
        CrashPoint.Reached(CrashPoint.AfterMount);
        return mount;
    }
}

/// <summary>Unmounts a layer; not mounted is success.</summary>
internal sealed record UnmountLayer(LayerLocation Layer, bool Force) : DriverOperation<Nothing>
{
    internal override string Verb => "unmount";

    internal override LayerId? Turn => Layer.Id;

    internal override Nothing Execute(DriverServices services, CancellationToken stop)
    {
        CrashPoint.Reached(CrashPoint.BeforeUnmount);
        services.Driver.Unmount(Layer, Force);
        CrashPoint.Reached(CrashPoint.AfterUnmount);
        return Nothing.Instance;
    }
}

/// <summary>Asks the kernel for the mount that is there.</summary>
/// <param name="Layer">The layer.</param>
/// <param name="Held">How it is mounted as its leases have it; null when nobody holds it. A driver that mounts nothing cannot know.</param>
internal sealed record FindMount(LayerLocation Layer, MountMode? Held = null) : DriverOperation<FoundMount>
{
    internal override string Verb => "find mount";

    internal override LayerId? Turn => Layer.Id;

    internal override FoundMount Execute(DriverServices services, CancellationToken stop)
    {
        var mount = services.Driver.FindMount(Layer);
        return new FoundMount(mount is null || Held is null || services.Driver.Capabilities.HasFlag(DriverCapabilities.KernelMount) ? mount : mount with { Mode = Held.Value });
    }
}

/// <summary>The mount that is there; null if there is none.</summary>
internal sealed record FoundMount(ActiveMount? Mount);

/// <summary>Lists the mounts that somebody else would have to make.</summary>
internal sealed record DescribeMount(MountRequest Request) : DriverOperation<IReadOnlyList<MountStep>>
{
    internal override string Verb => "describe";

    internal override IReadOnlyList<MountStep> Execute(DriverServices services, CancellationToken stop) => services.Driver.Describe(Request);
}

/// <summary>Lists who keeps a mount busy, one line each; empty when nobody does, or it cannot be seen.</summary>
internal sealed record FindHolders(string MountPath) : DriverOperation<IReadOnlyList<string>>
{
    internal override string Verb => "find holders";

    internal override IReadOnlyList<string> Execute(DriverServices services, CancellationToken stop) => MountHolders.Find(MountPath);
}
