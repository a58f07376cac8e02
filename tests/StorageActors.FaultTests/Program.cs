using System.Globalization;
using StorageActors.FaultTests.FullDisks;
using StorageActors.FaultTests.Fuzzing;
using StorageActors.FaultTests.Host;
using StorageActors.FaultTests.Injection;

// host DIRECTORY [cold]            the process under test, driven by the others
// deaths [FLOW|all] [N]            a death before each call of every flow that changes names or mounts
// fill DIRECTORY                   a store whose disk is filled by a container, on a small file system of its own
// faults [FLOW|all] [FAULT] [N]    every fault at every call of every flow
// fuzz MINUTES [SEED] [TARGET]     wrong input for everything that reads what strangers write
return args switch
{
    ["host", var directory, .. var rest] => await FaultHost.RunAsync(directory, isWarm: rest is not ["cold"]),
    ["fill", var directory] => await FillingRun.RunAsync(directory).WaitAsync(TimeSpan.FromMinutes(3)),
    ["faults", .. var rest] => await FaultRun.RunAsync(rest.ElementAtOrDefault(0), rest.ElementAtOrDefault(1), rest.Length > 2 ? int.Parse(rest[2], CultureInfo.InvariantCulture) : null),
    ["deaths", .. var rest] => await DeathReport.RunAsync(rest.ElementAtOrDefault(0), rest.Length > 1 ? int.Parse(rest[1], CultureInfo.InvariantCulture) : null),
    ["fuzz", var minutes, .. var rest] => FuzzRun.Run(
        TimeSpan.FromMinutes(double.Parse(minutes, CultureInfo.InvariantCulture)),
        int.Parse(rest.ElementAtOrDefault(0) ?? "1", CultureInfo.InvariantCulture),
        rest.ElementAtOrDefault(1)),
    _ => 2,
};
