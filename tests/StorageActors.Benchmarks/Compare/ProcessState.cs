using System.Globalization;
using StorageActors.Linux;

namespace StorageActors.Benchmarks.Compare;

/// <summary>What a process holds, when it is asked to let go of what it does not need.</summary>
internal sealed record ProcessState(int Descriptors, int Mounts, int Threads, long ManagedBytes, long ResidentBytes)
{
    /// <summary>Reads it for this process and the mounts below a directory.</summary>
    internal static ProcessState Read(string root)
    {
        for (var i = 0; i < 3; i++)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
        }

        return new ProcessState(
            Directory.EnumerateFileSystemEntries("/proc/self/fd").Count(), MountTable.ReadBelow(root).Count, Directory.EnumerateDirectories("/proc/self/task").Count(),
            GC.GetTotalMemory(forceFullCollection: true), Environment.WorkingSet);
    }

    internal static ResultTable Compare(ProcessState before, ProcessState after) => new(
        "the process before and after", ["what", "before", "after"],
        [
            ["descriptors", Number(before.Descriptors), Number(after.Descriptors)],
            ["mounts", Number(before.Mounts), Number(after.Mounts)],
            ["threads", Number(before.Threads), Number(after.Threads)],
            ["managed memory", Megabytes(before.ManagedBytes), Megabytes(after.ManagedBytes)],
            ["resident memory", Megabytes(before.ResidentBytes), Megabytes(after.ResidentBytes)],
        ]);

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Megabytes(long bytes) => (bytes / 1e6).ToString("0.0 MB", CultureInfo.InvariantCulture);
}
