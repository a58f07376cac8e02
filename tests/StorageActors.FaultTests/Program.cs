using System.Globalization;
using StorageActors.FaultTests.FullDisks;
using StorageActors.FaultTests.Fuzzing;
using StorageActors.FaultTests.Host;
using StorageActors.FaultTests.Injection;

// host DIRECTORY                   the process under test, driven by the others
// fill DIRECTORY                   a store whose disk is filled by a container, on a small file system of its own
// faults [FLOW|all] [FAULT] [N]    every fault at every call of every flow
// fuzz MINUTES [SEED] [TARGET]     wrong input for everything that reads what strangers write
return args switch
{
    ["host", var directory] => await FaultHost.RunAsync(directory),
    ["fill", var directory] => await FillingRun.RunAsync(directory).WaitAsync(TimeSpan.FromMinutes(3)),
    ["faults", .. var rest] => await FaultRun.RunAsync(rest.ElementAtOrDefault(0), rest.ElementAtOrDefault(1), rest.Length > 2 ? int.Parse(rest[2], CultureInfo.InvariantCulture) : null),
    ["fuzz", var minutes, .. var rest] => FuzzRun.Run(
        TimeSpan.FromMinutes(double.Parse(minutes, CultureInfo.InvariantCulture)),
        int.Parse(rest.ElementAtOrDefault(0) ?? "1", CultureInfo.InvariantCulture),
        rest.ElementAtOrDefault(1)),
    _ => 2,
};
