using StorageActors.CrashTests.Kills;
using StorageActors.CrashTests.Peers;
using StorageActors.CrashTests.PowerCuts;
using StorageActors.CrashTests.Workload;

namespace StorageActors.CrashTests;

/// <summary>
/// The same program is the tests, the process that they kill, and the long runs:
/// <code>
/// dotnet run --project tests/StorageActors.CrashTests -- kill --deaths 500 --seed 1
/// dotnet run --project tests/StorageActors.CrashTests -- cut --cuts 120 --seed 1
/// dotnet run --project tests/StorageActors.CrashTests -- peer --deaths 100
/// </code>
/// </summary>
internal static class Program
{
    private static Task<int> Main(string[] arguments) => arguments switch
    {
        ["workload", var order] => WorkloadProgram.RunAsync(order),
        ["kill", .. var rest] => KillReport.RunAsync(rest),
        ["cut", .. var rest] => PowerCutReport.RunAsync(rest),
        ["apply", var root, var tar, var id] => OurImporter.ApplyAsync(root, tar, id),
        ["peer", .. var rest] => PeerReport.RunAsync(rest),
        _ => Usage(),
    };

    private static Task<int> Usage()
    {
        Console.Error.WriteLine("usage: StorageActors.CrashTests kill [--deaths N] [--seed N] [--deaths-per-store N] [--logs DIRECTORY] | cut [--cuts N] [--seed N] [--cuts-per-store N] [--none] | peer [--deaths N]");
        return Task.FromResult(2);
    }
}
