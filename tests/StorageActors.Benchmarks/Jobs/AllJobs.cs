using StorageActors.Benchmarks.Compare;

namespace StorageActors.Benchmarks.Jobs;

/// <summary>Every job, in the order of docs/benchmarks.md.</summary>
internal static class AllJobs
{
    internal static readonly IReadOnlyList<IJob> List =
    [
        new ApplyJob("apply-small", static inputs => inputs.Small, peerBar: 0.35, tarBar: 0.55, cpuBar: 0.45),
        new ApplyJob("apply-rootfs", static inputs => inputs.RootFs, peerBar: 0.45, tarBar: 0.65),
        new ApplyJob("apply-large", static inputs => inputs.Large, peerBar: 0.70, tarBar: 0.65),
        new ImportJob(),
        new ClientsJob("rootfs", static inputs => inputs.RootFsImage),
        new ClientsJob("image", static inputs => inputs.Image),
        new ParallelJob(),
        new MountJob(),
        new DiffJob(),
        new ReassemblyJob(),
        new RemoveJob(),
        new CopyJob("small", static inputs => inputs.Small),
        new CopyJob("large", static inputs => inputs.Large),
        new PullsJob(),
        new ContainersJob(),
        new StormJob(),
        new StartJob(),
        new LocksJob(),
        new ScaleJob(),
        new MemoryJob(),
        new GraphDriverJob(),
    ];
}
